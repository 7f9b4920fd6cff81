export type { Commands, DocumentClient, IDocument, ISender, Item } from "./client.ts";
export { DynamoDbEventStore, type DynamoDbOptions } from "./event-store.ts";
export { type StreamEvent, tenantsWithNews } from "./stream-doorbell.ts";
export { sweepPlace } from "./sweep-place.ts";
export { cloudFormation, ensureTable, type ITableMaker, type TableOptions, tableDefinition } from "./table.ts";
