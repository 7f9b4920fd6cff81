/** A record, as a producer with string serializers takes it. */
export interface KafkaMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
  readonly headers: Record<string, string>;
}

/** One send; acks -1 = every replica in sync has it. */
export interface KafkaSend {
  messages: KafkaMessage[];
  idempotent: true;
  acks: -1;
}

/** The slice of `Producer` of `@platformatic/kafka` that the publisher uses; make it with `serializers: stringSerializers`. */
export interface IKafkaProducer {
  send(options: KafkaSend): Promise<unknown>;
  initIdempotentProducer(options: { producerId: bigint; producerEpoch: number }): Promise<unknown>;
}

/** Reasons of a broker that lie in the record itself, by Kafka's names of its error codes. */
const REFUSALS = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD"];

/** Whether an error of the client says that the broker will never take these records. */
export function isRefusal(error: unknown): boolean {
  const { findBy } = error as { findBy?: (property: string, value: unknown) => unknown };
  return typeof findBy === "function" && REFUSALS.some((reason) => findBy.call(error, "apiId", reason));
}
