import { Err, type Signal } from "../../core/index.ts";
import type { Acknowledgement, IPublisher, OutgoingEvent } from "../../core/publishing.ts";
import { type EventBridgeEntry, type IEventBridge, isRefusal, isTooLarge } from "./client.ts";

/** Settings of an EventBridge publisher. */
export interface EventBridgePublisherOptions {
  /** The name or ARN of the bus; default: the account's own. */
  readonly bus?: string;
}

/**
 * Publishes to a bus of Amazon EventBridge: the whole cloud event is the entry's detail.
 *
 * EventBridge keeps no order, and may deliver twice: let receivers go by `version` and `id`, or use SNS FIFO.
 */
export class EventBridgePublisher implements IPublisher {
  /** Entries in one call, and their bytes: 1 MB since 2026, 256 KB before; what is larger goes alone, and EventBridge decides. */
  readonly limits = { events: 10, bytes: 240_000 };
  readonly #client: IEventBridge;
  readonly #bus: string;

  /** @throws {Err} `invalid_argument` that names what is wrong. */
  constructor(client: IEventBridge, { bus = "default" }: EventBridgePublisherOptions = {}) {
    if (typeof client?.putEvents !== "function")
      throw Err.invalidArgument("client", "give an EventBridge of @aws-sdk/client-eventbridge");
    if (typeof bus !== "string" || bus === "") throw Err.missingArgument("bus");
    this.#client = client;
    this.#bus = bus;
  }

  async publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    try {
      const input = { Entries: events.map((event) => this.#entryOf(event)) };
      const { Entries: results = [] } = await this.#client.putEvents(input, { abortSignal: signal as AbortSignal });
      const acknowledged = events.findIndex((_, index) => results[index]?.EventId === undefined);
      if (acknowledged < 0) return { acknowledged: events.length };
      const result = results[acknowledged] ?? {};
      const error = new Error(`EventBridge did not take the event: ${result.ErrorCode}: ${result.ErrorMessage}`);
      return { acknowledged, [isRefusal(result) ? "refused" : "failed"]: error };
    } catch (error) {
      return { acknowledged: 0, [isTooLarge(error) ? "refused" : "failed"]: error };
    }
  }

  #entryOf({ cloudEvent, json }: OutgoingEvent): EventBridgeEntry {
    const { source, type, time } = cloudEvent;
    return { EventBusName: this.#bus, Source: source, DetailType: type, Detail: json, Time: new Date(time) };
  }
}
