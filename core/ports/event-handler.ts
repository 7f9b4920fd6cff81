import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import type { Signal } from "./platform.ts";

/** Identifies a delivery to a handler: a redelivery after a crash has the same place. */
export interface DeliveryPlace {
  readonly thread: string;
  readonly handler: string;
  /** The event's place in its commit, from 0. */
  readonly index: number;
}

/**
 * Receives a tenant's events in order; at least once each (exactly once as a `Projection`).
 *
 * `name` (default: the class's name, which minifiers change) keeps its cursor: a renamed handler starts from the beginning.
 */
export interface IEventHandler<E extends EventMap = EventMap> {
  readonly name?: string;
  /** Declares that the handler can take old events again at any time, beside new ones; `replay` requires it. */
  readonly replayable?: boolean;
  /** What to do with each event, by event name; events without an entry are skipped. `index` is the event's place in its commit, from 0. */
  readonly events: {
    readonly [Name in keyof E & string]?: (
      tenant: string,
      event: AppliedEvent<Name, E[Name]>,
      commit: PositionedCommit,
      place: DeliveryPlace,
    ) => Promise<void> | void;
  };
  /**
   * Takes the events that `events` names in batches, in order, instead of one by one; see `BatchResult`. `retryParked` and `replay` still
   * call `events`, one by one.
   */
  batch?(tenant: string, items: readonly BatchItem[]): Promise<BatchResult>;
}

/** One event of a batch. */
export interface BatchItem {
  readonly event: StoredEvent;
  readonly commit: PositionedCommit;
  /** The event's place in the commit, from 0. */
  readonly index: number;
}

/** How far a batch was handled, counted from its first event. */
export interface BatchResult {
  /** How many events are finished: the cursor moves to the next. With neither `error` nor `retryAt`, the rest is handed over at once. */
  readonly finished: number;
  /** Why the next event failed; an attempt at it is counted, as if its function had thrown, unless there is a `retryAt`. */
  readonly error?: unknown;
  /** When to deliver the next event again, in ms since 1970, if the failure is not its fault: no attempt is counted, and it is never parked. */
  readonly retryAt?: number;
}

/** An event handler of whatever events: what `poll` accepts. */
export interface AnyEventHandler {
  readonly name?: string;
  readonly replayable?: boolean;
  readonly events: Readonly<
    Record<
      string,
      ((tenant: string, event: never, commit: PositionedCommit, place: DeliveryPlace) => Promise<void> | void) | undefined
    >
  >;
  /**
   * Does what is due; called after each poll that held the thread. Resolves to when to be called again at the latest, in ms since
   * 1970. Several readers may call it at once, so it must tolerate being called twice. Ends soon after the signal aborts.
   */
  readonly due?: (tenant: string, signal?: Signal) => Promise<number | undefined>;
  batch?(tenant: string, items: readonly BatchItem[]): Promise<BatchResult>;
}
