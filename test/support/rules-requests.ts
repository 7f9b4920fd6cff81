import type { PolicyRequest } from "./rules-policy.ts";

type Item = Readonly<Record<string, unknown>>;

/** A request as it is given to the SDK's document client: the method's name, and its input. */
export interface DynamoDbRequest {
  readonly method: "get" | "query" | "batchGet" | "put" | "update" | "delete" | "transactWrite" | "scan";
  readonly input: Readonly<Record<string, unknown>>;
}

interface Access {
  readonly action: string;
  readonly table: string;
  readonly partitions: readonly unknown[] | undefined;
}

/** A session of a role: the tags that it was made with. */
export type Session = Readonly<Record<string, string>>;

/**
 * What IAM is asked about a request: one question for each action and table; a transaction asks for the actions of its parts.
 *
 * `dynamodb:LeadingKeys` holds every partition key of the request, and is absent where it has none.
 */
export function questionsOf(
  { method, input }: DynamoDbRequest,
  session: Session,
  arnOf: (table: string) => string,
): readonly PolicyRequest[] {
  return accessesOf(method, input).map(({ action, table, partitions }) => ({
    action: `dynamodb:${action}`,
    resource: arnOf(table),
    context: {
      ...Object.fromEntries(Object.entries(session).map(([key, value]) => [`aws:PrincipalTag/${key}`, [value]])),
      ...(partitions !== undefined && { "dynamodb:LeadingKeys": partitions.map(String) }),
    },
  }));
}

function accessesOf(method: DynamoDbRequest["method"], input: DynamoDbRequest["input"]): readonly Access[] {
  const table = String(input.TableName);
  const key = (holder: unknown) => [(holder as Item).pk];
  switch (method) {
    case "get":
      return [{ action: "GetItem", table, partitions: key(input.Key) }];
    case "put":
      return [{ action: "PutItem", table, partitions: key(input.Item) }];
    case "update":
      return [{ action: "UpdateItem", table, partitions: key(input.Key) }];
    case "delete":
      return [{ action: "DeleteItem", table, partitions: key(input.Key) }];
    case "query":
      return [{ action: "Query", table, partitions: [partitionOf(input)] }];
    case "scan":
      return [{ action: "Scan", table, partitions: undefined }];
    case "batchGet":
      return Object.entries(input.RequestItems as Record<string, { readonly Keys: readonly Item[] }>).map(([name, { Keys }]) => ({
        action: "BatchGetItem",
        table: name,
        partitions: Keys.map(({ pk }) => pk),
      }));
    case "transactWrite":
      return (input.TransactItems as readonly Item[]).map(partOf);
  }
}

const PARTS: Readonly<Record<string, string>> = {
  Put: "PutItem",
  Update: "UpdateItem",
  Delete: "DeleteItem",
  ConditionCheck: "ConditionCheckItem",
};

function partOf(item: Item): Access {
  const [kind = "", part] = Object.entries(item)[0] ?? [];
  const { TableName, Key, Item: put } = part as { readonly TableName: string; readonly Key?: Item; readonly Item?: Item };
  const action = PARTS[kind];
  if (action === undefined) throw new Error(`a transaction has no part ${kind}`);
  return { action, table: TableName, partitions: [(Key ?? put)?.pk] };
}

/** The partition that a query's condition asks for: `pk = :name`. */
function partitionOf(input: DynamoDbRequest["input"]): unknown {
  const name = /^pk = (:\w+)/.exec(String(input.KeyConditionExpression))?.[1];
  if (name === undefined) throw new Error(`no partition in ${String(input.KeyConditionExpression)}`);
  return (input.ExpressionAttributeValues as Item)[name];
}
