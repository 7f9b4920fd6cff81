export type { DocumentClient, IDocument, ISender } from "./client.ts";
export { DynamoDbEventStore, type DynamoDbOptions } from "./event-store.ts";
