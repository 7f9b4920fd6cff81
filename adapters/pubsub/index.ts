export type { IPubSubTopic, PubSubMessage } from "./client.ts";
export { PubSubPublisher } from "./publisher.ts";
