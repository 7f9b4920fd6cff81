import { defaultPlatform, StoreError } from "../../core/index.ts";

/** Settings of the table. */
export interface TableOptions {
  /** Turns on a stream of keys, for `tenantsWithNews`; default false. */
  readonly stream?: boolean;
  /** Keeps backups of the last 35 days; default false. Only in the CloudFormation fragment. */
  readonly pointInTimeRecovery?: boolean;
  /** Refuses to delete the table; default false. */
  readonly deletionProtection?: boolean;
}

/** The attribute by which DynamoDB deletes what has expired: receipts, and what is left of erased commits. */
const TTL_ATTRIBUTE = "expires";
/** How long `ensureTable` waits for a new table, in ms, and how often it looks. */
const PATIENCE = 60_000;
const LOOK_EVERY = 100;

/** The table as input of `CreateTable`: two string keys, billed per request, no index. */
export function tableDefinition(table: string, { stream = false, deletionProtection = false }: TableOptions = {}) {
  return {
    TableName: table,
    BillingMode: "PAY_PER_REQUEST" as const,
    AttributeDefinitions: [
      { AttributeName: "pk", AttributeType: "S" as const },
      { AttributeName: "sk", AttributeType: "S" as const },
    ],
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" as const },
      { AttributeName: "sk", KeyType: "RANGE" as const },
    ],
    ...(stream && { StreamSpecification: { StreamEnabled: true, StreamViewType: "KEYS_ONLY" as const } }),
    ...(deletionProtection && { DeletionProtectionEnabled: true }),
  };
}

/** The same table as a CloudFormation resource: a fragment for `Resources`. */
export function cloudFormation(table: string, options: TableOptions = {}) {
  const { StreamSpecification: stream, ...definition } = tableDefinition(table, options);
  return {
    EvenantTable: {
      Type: "AWS::DynamoDB::Table",
      DeletionPolicy: "Retain",
      UpdateReplacePolicy: "Retain",
      Properties: {
        ...definition,
        TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
        ...(stream !== undefined && { StreamSpecification: { StreamViewType: stream.StreamViewType } }),
        ...(options.pointInTimeRecovery === true && { PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }),
      },
    },
  };
}

interface TimeToLive {
  readonly TimeToLiveDescription?: { readonly TimeToLiveStatus?: string | undefined } | undefined;
}

/** The slice of the SDK's `DynamoDB` client that makes a table. */
export interface ITableMaker {
  createTable(input: ReturnType<typeof tableDefinition>): Promise<unknown>;
  describeTable(input: {
    readonly TableName: string;
  }): Promise<{ readonly Table?: { readonly TableStatus?: string | undefined } | undefined }>;
  describeTimeToLive(input: { readonly TableName: string }): Promise<TimeToLive>;
  updateTimeToLive(input: {
    readonly TableName: string;
    readonly TimeToLiveSpecification: { readonly AttributeName: string; readonly Enabled: boolean };
  }): Promise<unknown>;
}

/**
 * Makes the table if it is not there, waits until it is ready, and turns its TTL on; repeatable. For development and tests: in production
 * let infrastructure as code make it (`cloudFormation`). An existing table is otherwise left as it is.
 */
export async function ensureTable(client: ITableMaker, table: string, options: TableOptions = {}): Promise<void> {
  if ((await statusOf(client, table)) === undefined) {
    await client.createTable(tableDefinition(table, options)).catch(unless("ResourceInUseException"));
  }
  const end = performance.now() + PATIENCE;
  while ((await statusOf(client, table)) !== "ACTIVE") {
    if (performance.now() > end) throw new StoreError(`table ${table} does not become active`, { retryable: true });
    await defaultPlatform.sleep(LOOK_EVERY);
  }
  const { TimeToLiveDescription: ttl } = await client.describeTimeToLive({ TableName: table });
  if (ttl?.TimeToLiveStatus === "ENABLED" || ttl?.TimeToLiveStatus === "ENABLING") return;
  await client.updateTimeToLive({
    TableName: table,
    TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
  });
}

async function statusOf(client: ITableMaker, table: string): Promise<string | undefined> {
  const described = await client.describeTable({ TableName: table }).catch(unless("ResourceNotFoundException"));
  return described?.Table?.TableStatus;
}

/** Passes over errors of one name: somebody else was faster, or there is nothing yet. */
function unless(name: string): (error: unknown) => undefined {
  return (error) => {
    if ((error as Error).name !== name) throw error;
    return undefined;
  };
}
