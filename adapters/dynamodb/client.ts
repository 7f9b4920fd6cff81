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

/** One part of a batch of unconditional writes. */
export interface BatchWriteItem {
  readonly PutRequest?: { readonly Item: Item | undefined };
  readonly DeleteRequest?: { readonly Key: Item | undefined };
}

export interface BatchWriteInput {
  readonly RequestItems: Record<string, BatchWriteItem[]>;
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
  delete(input: DeleteInput, options?: SendOptions): Promise<Charged>;
  transactWrite(input: TransactWriteInput, options?: SendOptions): Promise<ChargedMany>;
  batchWrite(
    input: BatchWriteInput,
    options?: SendOptions,
  ): Promise<
    ChargedMany & { readonly UnprocessedItems?: Readonly<Record<string, readonly BatchWriteItem[]>> | undefined }
  >;
}

/** The slice of the SDK's `DynamoDBDocumentClient`: it takes commands, which its package makes. */
export interface ISender {
  send(command: never, options?: SendOptions): Promise<unknown>;
}

/**
 * A client to make a store of: `DynamoDBDocument.from(client)`, or `DynamoDBDocumentClient.from(client)`; with the SDK's own marshalling
 * options.
 */
export type DocumentClient = IDocument | ISender;

/**
 * Gives a client the methods of `IDocument`. One that takes commands only gets them from `@aws-sdk/lib-dynamodb`, which whoever made the
 * client has installed; it is imported at the first request, so that nobody else needs it.
 */
export async function documentOf(client: DocumentClient): Promise<IDocument> {
  if ("transactWrite" in client) return client;
  const sdk = await import("@aws-sdk/lib-dynamodb");
  const send = <Output>(command: unknown, options: SendOptions | undefined) =>
    client.send(command as never, options) as Promise<Output>;
  return {
    get: (input, options) => send(new sdk.GetCommand(input), options),
    query: (input, options) => send(new sdk.QueryCommand(input), options),
    batchGet: (input, options) => send(new sdk.BatchGetCommand(input), options),
    put: (input, options) => send(new sdk.PutCommand(input), options),
    update: (input, options) => send(new sdk.UpdateCommand(input), options),
    delete: (input, options) => send(new sdk.DeleteCommand(input), options),
    transactWrite: (input, options) => send(new sdk.TransactWriteCommand(input), options),
    batchWrite: (input, options) => send(new sdk.BatchWriteCommand(input), options),
  };
}
