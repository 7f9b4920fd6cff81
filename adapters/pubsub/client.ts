/** A message on its way into a topic. */
export interface PubSubMessage {
  data: Buffer;
  attributes: Record<string, string>;
  orderingKey: string;
}

/** The slice of `Topic` of `@google-cloud/pubsub` that the publisher uses; make it with `messageOrdering: true`. */
export interface IPubSubTopic {
  /** Resolves to the message's id once the service has it. */
  publishMessage(message: PubSubMessage): Promise<string>;
  /** Lets a key go on that has failed: until then the client refuses everything under it. */
  resumePublishing(orderingKey: string): void;
}

/** gRPC's INVALID_ARGUMENT: the service will never take the message. */
const INVALID_ARGUMENT = 3;

/** Whether an error of the client says that the message itself is wrong. */
export function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === INVALID_ARGUMENT;
}
