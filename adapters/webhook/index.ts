export { isPublicAddress } from "./addresses.ts";
export { type WebhookEndpoint, WebhookPublisher, type WebhookPublisherOptions } from "./publisher.ts";
export type { WebhookSecret } from "./signature.ts";
