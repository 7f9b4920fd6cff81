import { Err } from "../../core/index.ts";

/** An item, or its key, in plain JavaScript values. */
export type Item = Readonly<Record<string, unknown>>;

/** What one request may take along: the signal that gives up on it. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** What the database charged for a request. */
export interface Capacity {
  readonly CapacityUnits?: number | undefined;
}

/** A condition, with its names and values. */
export interface Conditional {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
  readonly ReturnValuesOnConditionCheckFailure?: "ALL_OLD";
}

export interface GetInput {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConsistentRead: boolean;
  readonly ReturnConsumedCapacity: "TOTAL";
}

export interface QueryInput {
  readonly TableName: string;
  readonly KeyConditionExpression: string;
  readonly ExpressionAttributeValues: Record<string, unknown>;
  readonly ProjectionExpression?: string;
  readonly ConsistentRead: boolean;
  readonly ScanIndexForward: boolean;
  readonly Limit?: number;
  readonly ExclusiveStartKey?: Item;
  readonly ReturnConsumedCapacity: "TOTAL";
}

export interface BatchGetInput {
  readonly RequestItems: Record<string, { Keys: Item[]; ConsistentRead: boolean }>;
  readonly ReturnConsumedCapacity: "TOTAL";
}

export interface PutInput extends Conditional {
  readonly TableName: string;
  readonly Item: Item;
  readonly ReturnConsumedCapacity?: "TOTAL";
}

export interface UpdateInput extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly UpdateExpression: string;
  readonly ReturnValues?: "ALL_NEW";
  readonly ReturnConsumedCapacity?: "TOTAL";
}

export interface DeleteInput extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly ReturnConsumedCapacity?: "TOTAL";
}

export interface CheckInput extends Conditional {
  readonly TableName: string;
  readonly Key: Item;
  readonly ConditionExpression: string;
}

/** One part of a transaction. */
export interface TransactItem {
  readonly Put?: PutInput;
  readonly Update?: UpdateInput;
  readonly Delete?: DeleteInput;
  readonly ConditionCheck?: CheckInput;
}

export interface TransactWriteInput {
  readonly TransactItems: TransactItem[];
  readonly ClientRequestToken: string;
  readonly ReturnConsumedCapacity: "TOTAL";
}

interface Charged {
  readonly ConsumedCapacity?: Capacity | undefined;
}

interface ChargedMany {
  readonly ConsumedCapacity?: readonly Capacity[] | undefined;
}

/** The slice of the SDK's `DynamoDBDocument` that the store uses. */
export interface IDocument {
  get(input: GetInput, options?: SendOptions): Promise<Charged & { readonly Item?: Item | undefined }>;
  query(
    input: QueryInput,
    options?: SendOptions,
  ): Promise<Charged & { readonly Items?: readonly Item[] | undefined; readonly LastEvaluatedKey?: Item | undefined }>;
  batchGet(
    input: BatchGetInput,
    options?: SendOptions,
  ): Promise<
    ChargedMany & {
      readonly Responses?: Readonly<Record<string, readonly Item[]>> | undefined;
      readonly UnprocessedKeys?: Readonly<Record<string, { readonly Keys?: readonly Item[] | undefined }>> | undefined;
    }
  >;
  put(input: PutInput, options?: SendOptions): Promise<Charged>;
  update(input: UpdateInput, options?: SendOptions): Promise<Charged & { readonly Attributes?: Item | undefined }>;
  transactWrite(input: TransactWriteInput, options?: SendOptions): Promise<ChargedMany>;
}

/** The slice of the SDK's `DynamoDBDocumentClient`: it takes commands, which its package makes. */
export interface ISender {
  send(command: never, options?: SendOptions): Promise<unknown>;
}

/** The classes of the SDK's commands, as the module `@aws-sdk/lib-dynamodb` exports them. */
export type Commands = Readonly<Record<`${"Get" | "Query" | "BatchGet" | "Put" | "Update" | "TransactWrite"}Command`, Command>>;

type Command = new (input: never) => unknown;

/** A client to make a store of: `DynamoDBDocument.from(client)`, or a `DynamoDBDocumentClient`, which needs `Commands` too. */
export type DocumentClient = IDocument | ISender;

/** Gives a client the methods of `IDocument`. @throws {Err} `invalid_argument` for one that has neither these nor commands. */
export function documentOf(client: DocumentClient, commands: Commands | undefined): IDocument {
  if (client !== undefined && "transactWrite" in client) return client;
  if (commands === undefined) throw Err.invalidArgument("document", "make it with DynamoDBDocument.from(client)");
  const sender = (Made: Command) => (input: unknown, options?: SendOptions) =>
    client.send(new Made(input as never) as never, options) as Promise<never>;
  return {
    get: sender(commands.GetCommand),
    query: sender(commands.QueryCommand),
    batchGet: sender(commands.BatchGetCommand),
    put: sender(commands.PutCommand),
    update: sender(commands.UpdateCommand),
    transactWrite: sender(commands.TransactWriteCommand),
  };
}
