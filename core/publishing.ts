// The door of publishing, apart from the main one: an application that publishes nothing does not load it.
export type { CloudEvent } from "./model/cloud-event.ts";
export type { Publication, PublishedShape, PublishMap } from "./model/publication.ts";
export type { Acknowledgement, IPublisher, OutgoingEvent } from "./ports/publisher.ts";
export type { BreakerChange, BreakerOptions, BreakerState } from "./publish/circuit-breaker.ts";
export { EventPublisher, type EventPublisherOptions } from "./publish/event-publisher.ts";
