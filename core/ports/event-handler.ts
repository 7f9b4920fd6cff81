import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import type { Signal } from "./platform.ts";

/** Which delivery a handler is called for: the same one after a crash is the same event again. */
export interface DeliveryPlace {
  readonly thread: string;
  readonly handler: string;
  /** The event's place in its commit, from 0. */
  readonly index: number;
}

/**
 * Receives a tenant's events in order; at least once each (exactly once as a `Projection`).
 *
 * `name` (default: the class's name, which minifiers change) keeps its cursor: renaming a handler starts it anew.
 */
export interface IEventHandler<E extends EventMap = EventMap> {
  readonly name?: string;
  /** Declares that old events may be handed over again at any time, beside the new ones: what `replay` asks for. */
  readonly replayable?: boolean;
  /** What to do with each event, by event name; events without an entry are passed over. `index` is the event's place in its commit, from 0. */
  readonly events: {
    readonly [Name in keyof E & string]?: (
      tenant: string,
      event: AppliedEvent<Name, E[Name]>,
      commit: PositionedCommit,
      place: DeliveryPlace,
    ) => Promise<void> | void;
  };
  /**
   * Takes the events that `events` names many at a time, in their place, in order; see `BatchResult`. What `retryParked` and `replay` hand
   * over still goes to `events`, one by one.
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

/** What became of a batch, counted from its front. */
export interface BatchResult {
  /** How many events are finished: the cursor stands at the next. With neither `error` nor `retryAt`, the rest is handed over at once. */
  readonly finished: number;
  /** Why the next event failed; an attempt at it is counted, as if its function had thrown, unless there is a `retryAt`. */
  readonly error?: unknown;
  /** When to hand over the next event again, in ms since 1970: it is not to blame, so no attempt is counted and it is never parked for it. */
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
   * Does what a time asks for, after each poll that had the thread; resolves to when to be called again at the latest, in ms since
   * 1970. Called by any number of readers at once, so it must bear being called twice. Ends soon after the signal aborts.
   */
  readonly due?: (tenant: string, signal?: Signal) => Promise<number | undefined>;
  batch?(tenant: string, items: readonly BatchItem[]): Promise<BatchResult>;
}
