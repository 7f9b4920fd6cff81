export type { EventBridgeEntry, EventBridgeResult, IEventBridge } from "./client.ts";
export { EventBridgePublisher, type EventBridgePublisherOptions } from "./publisher.ts";
