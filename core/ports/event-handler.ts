import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit } from "../model/commit.ts";

/**
 * Receives a tenant's events in order; at least once each (exactly once as a `Projection`).
 *
 * `name` (default: the class's name) keeps its cursor: renaming a handler starts it anew.
 */
export interface IEventHandler<E extends EventMap = EventMap> {
  readonly name?: string;
  /** Declares that old events may be handed over again at any time, beside the new ones: what `replay` asks for. */
  readonly replayable?: boolean;
  /** What to do with each event, by event name; events without an entry are passed over. */
  readonly events: {
    readonly [Name in keyof E & string]?: (
      tenant: string,
      event: AppliedEvent<Name, E[Name]>,
      commit: PositionedCommit,
    ) => Promise<void> | void;
  };
}

/** An event handler of whatever events: what `poll` accepts. */
export interface AnyEventHandler {
  readonly name?: string;
  readonly replayable?: boolean;
  readonly events: Readonly<
    Record<string, ((tenant: string, event: never, commit: PositionedCommit) => Promise<void> | void) | undefined>
  >;
}
