import type { CloudEvent } from "../model/cloud-event.ts";
import type { Signal } from "./platform.ts";

/** An event on its way out. */
export interface OutgoingEvent {
  /** Events with the same key keep their order: `<tenant>/<type>/<aggregate>`. */
  readonly key: string;
  readonly cloudEvent: CloudEvent;
  /** The cloud event as JSON: what brokers carry. */
  readonly json: string;
  /** How long the JSON is as UTF-8. */
  readonly bytes: number;
}

/** What a broker did with a call's events. Without `refused` and `failed` it was given as many as it has, at least one: the rest comes in the next call. */
export interface Acknowledgement {
  /** How many events, from the first, the broker has for sure. It may have some of the others. */
  readonly acknowledged: number;
  /** Why the broker will never take the next one as it is (too large, ill-formed). If there are several left, it may be any: they are sent again one by one. */
  readonly refused?: unknown;
  /** Why it did not take the next one now: it is unavailable, slow, or denies access. */
  readonly failed?: unknown;
}

/** A broker, or whatever takes events outside. */
export interface IPublisher {
  /** The most that one `publish` gets; an event larger than `bytes` is sent alone. */
  readonly limits: { readonly events: number; readonly bytes: number };

  /**
   * Sends events; resolves once the broker has acknowledged them or has not.
   *
   * No event may overtake an earlier one of its key, even if part of a call fails. May be called for several tenants at once, but never
   * twice at once for one key. A rejection counts as `failed`.
   * @param signal aborts at the deadline; then nobody waits for the outcome any more.
   */
  publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement>;
}
