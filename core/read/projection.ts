import type { Readers } from "../model/access.ts";
import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit } from "../model/commit.ts";
import type { DeepReadonly } from "../model/json.ts";
import type { Signal } from "../ports/platform.ts";

declare const viewType: unique symbol;

/** What a projection does with one event: which view it concerns, and what that view becomes. Both are pure. */
export interface ProjectionStep<View, Name extends string, Payload> {
  /** The view's id (1 to 256 bytes); undefined = the event concerns no view. */
  readonly id: (event: AppliedEvent<Name, Payload>, commit: PositionedCommit) => string | undefined;
  /** The view after the event; undefined deletes it. The view before is frozen: return a new object. */
  readonly next: (
    view: DeepReadonly<View> | undefined,
    event: AppliedEvent<Name, Payload>,
    commit: PositionedCommit,
  ) => View | DeepReadonly<View> | undefined;
}

/** What a projection does with its events, by event name; events without an entry are skipped. */
export type ProjectionEvents<View, E extends EventMap> = {
  readonly [Name in keyof E & string]?: ProjectionStep<View, Name, E[Name]>;
};

/**
 * An event handler that keeps one collection of views, each a pure function of the events.
 *
 * Its views are written in the same transaction as its cursor: each event counts exactly once, however often a reader crashes. A
 * collection belongs to the first thread and projection that writes it. Views must fit every store: see `encodeView`.
 */
export abstract class Projection<View extends object, E extends EventMap = EventMap> {
  /** Keeps the cursor and owns the collection; default: the class's name, which minifiers change. */
  declare readonly name?: string;
  /** The collection that the views are kept in: a name. */
  abstract readonly collection: string;
  /** Who may read the views in the database; absent = nobody. */
  declare readonly readers?: Readers;
  /** An integer, default 0: raise it when `events` makes different views of the same events; `poll` then requires a rebuild. */
  declare readonly version?: number;
  /** Carries the view's type; does not exist at run time. */
  declare readonly [viewType]?: View;
  /** What to do with each event; annotate it as `ProjectionEvents<View, E>`, then its functions need no annotation. */
  abstract get events(): ProjectionEvents<View, E>;
}

/** Who keeps the views of a collection: a projection, or whatever names its collection. */
export interface Keeper<View extends object = object> {
  readonly collection: string;
  readonly [viewType]?: View;
}

/** A projection of whatever views and events. */
export interface AnyProjection {
  readonly name?: string;
  readonly collection: string;
  readonly readers?: Readers;
  readonly version?: number;
  readonly events: Readonly<Record<string, ProjectionStepLike | undefined>>;
  /** See `AnyEventHandler.due`. */
  readonly due?: (tenant: string, signal?: Signal) => Promise<number | undefined>;
}

interface ProjectionStepLike {
  readonly id: (event: never, commit: PositionedCommit) => string | undefined;
  readonly next: (view: never, event: never, commit: PositionedCommit) => object | undefined;
}
