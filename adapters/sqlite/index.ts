export { SqliteEventStore, type SqliteOptions } from "./event-store.ts";
