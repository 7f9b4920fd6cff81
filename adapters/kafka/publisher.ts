import { Err, type Signal } from "../../core/index.ts";
import type { Acknowledgement, CloudEvent, IPublisher, OutgoingEvent } from "../../core/publishing.ts";
import { type IKafkaProducer, isRefusal, type KafkaMessage } from "./client.ts";

/** Settings of a Kafka publisher. */
export interface KafkaPublisherOptions {
  /** The topic, or which topic an event goes to: always the same for one aggregate, else its order is lost. */
  readonly topic: string | ((event: CloudEvent) => string);
}

/** Kafka's way to say that this producer has no id yet. */
const NO_ID = { producerId: -1n, producerEpoch: -1 } as const;

/** CloudEvents' protocol binding for Kafka, structured mode. */
const HEADERS = { "content-type": "application/cloudevents+json; charset=UTF-8" };

/**
 * Publishes to Kafka: one record per event, keyed by tenant and aggregate, so that an aggregate stays in order on one partition.
 *
 * One send is under way at a time, because the client numbers a send when it is asked for: of two at once on one partition, an idempotent
 * broker would take the second for a repetition of the first, and drop it. One that fails, or is not answered in time, leaves its numbers
 * in doubt: the next begins with a new producer id.
 */
export class KafkaPublisher implements IPublisher {
  /** Bytes: below the 1 MiB that a broker takes in one batch of a partition by default, with its keys and headers. */
  readonly limits = { events: 100, bytes: 900_000 };
  readonly #producer: IKafkaProducer;
  readonly #topicOf: (event: CloudEvent) => string;
  #before: Promise<unknown> = Promise.resolve();
  /** Whether the broker may have records under numbers that the client would use next. */
  #isInDoubt = true;

  /** @throws {Err} `invalid_argument` that names what is wrong. */
  constructor(producer: IKafkaProducer, { topic }: KafkaPublisherOptions) {
    if (typeof producer?.send !== "function") throw Err.invalidArgument("producer", "give a Producer of @platformatic/kafka");
    if (typeof topic !== "function") checkedTopic(topic);
    this.#producer = producer;
    this.#topicOf = typeof topic === "function" ? topic : () => topic;
  }

  publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    const outcome = this.#before.then(() => this.#publish(events, signal));
    this.#before = outcome.catch(() => {});
    return outcome;
  }

  async #publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    // Nobody waits any more, and the same events may be on their way again: sent now, they would come twice.
    if (signal.aborted) return { acknowledged: 0, failed: new Error("the producer was busy with earlier events") };
    let messages: KafkaMessage[];
    try {
      messages = events.map(({ key, cloudEvent, json }) => ({
        topic: checkedTopic(this.#topicOf(cloudEvent)),
        key,
        value: json,
        headers: HEADERS,
      }));
    } catch (error) {
      // An event for which there is no topic is its own fault, and not the broker's.
      return { acknowledged: 0, refused: error ?? new Error("the topic function failed without a word") };
    }
    try {
      await Promise.race([this.#send(messages, signal), aborted(signal)]);
      return { acknowledged: events.length };
    } catch (error) {
      return { acknowledged: 0, [isRefusal(error) ? "refused" : "failed"]: error };
    }
  }

  async #send(messages: KafkaMessage[], signal: Signal): Promise<void> {
    if (this.#isInDoubt) await this.#producer.initIdempotentProducer(NO_ID);
    // The next send is under way by now.
    if (signal.aborted) return;
    this.#isInDoubt = true;
    await this.#producer.send({ messages, idempotent: true, acks: -1 });
    // A late answer tells nothing of the sends after it.
    if (!signal.aborted) this.#isInDoubt = false;
  }
}

function checkedTopic(topic: unknown): string {
  if (typeof topic !== "string" || topic === "") throw Err.missingArgument("topic");
  return topic;
}

/** Rejects when the signal aborts: a client that never answers does not hold up those behind it. */
function aborted(signal: Signal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer until the deadline")), { once: true });
  });
}
