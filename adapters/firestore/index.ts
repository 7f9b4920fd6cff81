export type { FieldValues, FirestoreClient } from "./client.ts";
export { FirestoreEventStore, type FirestoreOptions } from "./event-store.ts";
export { tenantWithNews } from "./log-doorbell.ts";
