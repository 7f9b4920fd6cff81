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

/** What a broker did with events, counted from the first: with neither `refused` nor `failed`, it has all of them. */
export interface Acknowledgement {
  /** How many, from the first, the broker has for sure. Of those behind them it may have some. */
  readonly acknowledged: number;
  /** Why the broker will never take the next one as it is (too large, ill-formed); of several, any may be meant: they come again one by one. */
  readonly refused?: unknown;
  /** Why it did not take the next one now: it is away, slow, or denies access. */
  readonly failed?: unknown;
}

/** A broker, or whatever takes events outside. */
export interface IPublisher {
  /** The most that one `publish` gets; an event larger than `bytes` comes alone. */
  readonly limits: { readonly events: number; readonly bytes: number };

  /**
   * Sends events; resolves once the broker has acknowledged them or has not.
   *
   * No event overtakes an earlier one of its key, also where a part fails. May be called by several tenants at once, never for one key. To reject is to have failed.
   * @param signal aborts at the deadline; then nobody waits for the outcome any more.
   */
  publish(events: readonly OutgoingEvent[], signal: Signal): Promise<Acknowledgement>;
}
