import { createHash } from "node:crypto";
import { Err, type Signal } from "../../core/index.ts";
import type { Acknowledgement, IPublisher, OutgoingEvent } from "../../core/publishing.ts";
import { type ISns, isTooLong, type SnsEntry } from "./client.ts";

/** Settings of an SNS publisher. */
export interface SnsPublisherOptions {
  /** The ARN of a FIFO topic: it ends in `.fifo`. */
  readonly topicArn: string;
}

const ATTRIBUTES = { "content-type": { DataType: "String", StringValue: "application/cloudevents+json" } };

/**
 * Publishes to a FIFO topic of Amazon SNS, with a message group for each aggregate; SNS itself drops what comes twice within five minutes.
 *
 * A call carries at most one event of each aggregate, because a part of a call can fail, and then a later one must not be there already.
 */
export class SnsPublisher implements IPublisher {
  /** Bytes: below the 256 KiB of one call, with its attributes. */
  readonly limits = { events: 10, bytes: 250_000 };
  readonly #client: ISns;
  readonly #topicArn: string;

  /** @throws {Err} `invalid_argument` that names what is wrong. */
  constructor(client: ISns, { topicArn }: SnsPublisherOptions) {
    if (typeof client?.publishBatch !== "function") throw Err.invalidArgument("client", "give an SNS of @aws-sdk/client-sns");
    if (typeof topicArn !== "string" || !topicArn.endsWith(".fifo"))
      throw Err.invalidArgument("topicArn", "give a FIFO topic's, which ends in .fifo: others keep no order");
    this.#client = client;
    this.#topicArn = topicArn;
  }

  async publish(all: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement> {
    const events = withoutRepeatedKey(all);
    try {
      const input = { TopicArn: this.#topicArn, PublishBatchRequestEntries: events.map(entryOf) };
      const { Successful = [], Failed = [] } = await this.#client.publishBatch(input, { abortSignal: signal as AbortSignal });
      const taken = new Set(Successful.map(({ Id }) => Id));
      const acknowledged = events.findIndex((_, index) => !taken.has(String(index)));
      if (acknowledged < 0) return { acknowledged: events.length };
      const failure = Failed.find(({ Id }) => Id === String(acknowledged));
      const error = new Error(`SNS did not take the event: ${failure?.Code}: ${failure?.Message}`);
      return { acknowledged, [isTooLong(failure ?? {}) ? "refused" : "failed"]: error };
    } catch (error) {
      return { acknowledged: 0, [isTooLong(error) ? "refused" : "failed"]: error };
    }
  }
}

/** The events up to the first whose key has been there. */
function withoutRepeatedKey(events: readonly OutgoingEvent[]): readonly OutgoingEvent[] {
  const keys = new Set<string>();
  const repeated = events.findIndex(({ key }) => keys.size === keys.add(key).size);
  return repeated < 0 ? events : events.slice(0, repeated);
}

function entryOf({ key, cloudEvent, json }: OutgoingEvent, index: number): SnsEntry {
  return {
    Id: String(index),
    Message: json,
    // Both take 128 plain characters at most; keys and ids may be longer, in any script.
    MessageGroupId: digestOf(key),
    MessageDeduplicationId: digestOf(cloudEvent.id),
    MessageAttributes: ATTRIBUTES,
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
