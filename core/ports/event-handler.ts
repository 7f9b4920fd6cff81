import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit } from "../model/commit.ts";

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
 * `name` (default: the class's name) keeps its cursor: renaming a handler starts it anew.
 */
export interface IEventHandler<E extends EventMap = EventMap> {
  readonly name?: string;
  /** What to do with each event, by event name; events without an entry are passed over. */
  readonly events: {
    readonly [Name in keyof E & string]?: (
      tenant: string,
      event: AppliedEvent<Name, E[Name]>,
      commit: PositionedCommit,
      place: DeliveryPlace,
    ) => Promise<void> | void;
  };
}

/** An event handler of whatever events: what `poll` accepts. */
export interface AnyEventHandler {
  readonly name?: string;
  readonly events: Readonly<
    Record<
      string,
      ((tenant: string, event: never, commit: PositionedCommit, place: DeliveryPlace) => Promise<void> | void) | undefined
    >
  >;
  /**
   * Does what a time asks for, after each poll that had the thread; resolves to when to be called again at the latest, in ms since
   * 1970. Called by any number of readers at once, so it must bear being called twice.
   */
  readonly due?: (tenant: string) => Promise<number | undefined>;
}
