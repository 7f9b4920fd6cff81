export { MemoryEventStore, type MemoryOptions } from "./event-store.ts";
