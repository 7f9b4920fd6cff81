import { Err, type Signal } from "../../core/index.ts";
import type { Acknowledgement, IPublisher, OutgoingEvent } from "../../core/publishing.ts";
import { type IPubSubTopic, isRefusal } from "./client.ts";

/** CloudEvents' protocol binding for Pub/Sub, structured mode. */
const ATTRIBUTES = { "content-type": "application/cloudevents+json" };

/**
 * Publishes to a topic of Google Pub/Sub, with an ordering key for each aggregate.
 *
 * A key that failed is resumed before its events are sent again. That waits until the client has settled all earlier messages of the key,
 * because it would otherwise send both. Subscriptions see the order only with message ordering enabled.
 */
export class PubSubPublisher implements IPublisher {
  /** Bytes: below the 10 MB of one request. */
  readonly limits = { events: 100, bytes: 5_000_000 };
  readonly #topic: IPubSubTopic;
  /** By key: how many messages the client has not told of yet, and whether one has failed. */
  readonly #unsettled = new Map<string, { count: number; hasFailed: boolean }>();

  /** @throws {Err} `invalid_argument` that says what to give. */
  constructor(topic: IPubSubTopic) {
    if (typeof topic?.publishMessage !== "function" || typeof topic.resumePublishing !== "function") {
      throw Err.invalidArgument("topic", "give client.topic(name, { messageOrdering: true })");
    }
    this.#topic = topic;
  }

  async publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    const busy = events.findIndex(({ key }) => this.#unsettled.has(key));
    const sent = busy < 0 ? events : events.slice(0, busy);
    // All at once, because the client keeps the order of each key by itself.
    const outcomes = await Promise.race([Promise.all(sent.map((event) => this.#send(event))), aborted(signal)]);
    const acknowledged = outcomes.findIndex(({ error }) => error !== undefined);
    if (acknowledged >= 0) {
      const { error } = outcomes[acknowledged] as { error: unknown };
      return { acknowledged, [isRefusal(error) ? "refused" : "failed"]: error };
    }
    if (busy < 0) return { acknowledged: events.length };
    return { acknowledged: busy, failed: new Error("the client is still busy with earlier events of this aggregate") };
  }

  async #send({ key, json }: OutgoingEvent): Promise<{ readonly error?: unknown }> {
    const state = this.#unsettled.get(key) ?? { count: 0, hasFailed: false };
    this.#unsettled.set(key, state);
    state.count++;
    try {
      await this.#topic.publishMessage({ data: Buffer.from(json), attributes: ATTRIBUTES, orderingKey: key });
      return {};
    } catch (error) {
      state.hasFailed = true;
      return { error: error ?? new Error("the client failed without a word") };
    } finally {
      if (--state.count === 0) this.#settle(key, state.hasFailed);
    }
  }

  /** Not before the last of a key: those behind a failed one fail too, and none of them may go on alone. */
  #settle(key: string, hasFailed: boolean): void {
    this.#unsettled.delete(key);
    if (hasFailed) this.#topic.resumePublishing(key);
  }
}

/** Rejects when the signal aborts. */
function aborted(signal: Signal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer until the deadline")), { once: true });
  });
}
