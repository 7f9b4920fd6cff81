export type { ISns, SnsEntry, SnsFailure } from "./client.ts";
export { SnsPublisher, type SnsPublisherOptions } from "./publisher.ts";
