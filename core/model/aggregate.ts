import type { Access, Readers } from "./access.ts";
import type { DeepReadonly, JsonObject } from "./json.ts";
import type { AnyPublishMap } from "./publication.ts";
import type { StandardSchema } from "./schema.ts";
import type { SnapshotPolicy } from "./snapshot.ts";
import type { UpcasterMap } from "./upcast.ts";

/** The events of an aggregate: name -> payload. Write it as a `type`: an `interface` has no index signature, so it does not compile here. */
export type EventMap = Record<string, object>;

/** Carries an aggregate's event map in its type; there is no such property at run time. */
export declare const eventMap: unique symbol;

/** Anything that declares events: kept apart from `Aggregate` so that a context can name its own class without a cycle. */
export interface HasEvents {
  readonly [eventMap]: EventMap;
}

/** The events that an aggregate class declares: name -> payload. */
export type EventsOf<A extends HasEvents> = A[typeof eventMap];

/** The names of an aggregate's events. Where a caller may err it is spelled out instead, so that the compiler's message lists them. */
export type EventName<A extends HasEvents> = keyof EventsOf<A> & string;

/** An event as an aggregate or a handler receives it; frozen. */
export interface AppliedEvent<Name extends string = string, Payload = JsonObject> {
  readonly name: Name;
  readonly payload: DeepReadonly<Payload>;
  readonly schemaVersion: number;
}

/** One event of an aggregate class, by name. */
export type EventOf<A extends HasEvents, Name extends keyof EventsOf<A> & string> = AppliedEvent<Name, EventsOf<A>[Name]>;

/** What an aggregate does with each of its events. */
export type EventAppliers<E extends EventMap> = {
  readonly [Name in keyof E & string]: (event: AppliedEvent<Name, E[Name]>) => void;
};

/** An aggregate's commands by name; each takes the `CommandContext` of its own payload. */
export type CommandMap = Readonly<Record<string, (context: never) => Promise<void> | void>>;

/** Sets an instance's id and version; not part of the public API. */
export let moveTo: (aggregate: AnyAggregate, id: string, version: number) => void;

/**
 * A consistency boundary: state that changes only through its own events, decided by its own commands.
 *
 * Its state is its own enumerable fields, which must hold JSON values unless `static snapshot = false`. The constructor takes no
 * argument and sets the state before the first event. Subclasses declare `static path` and `static access` (see `AggregateClass`).
 */
export abstract class Aggregate<E extends EventMap = EventMap> implements HasEvents {
  declare readonly [eventMap]: E;
  #id = "";
  #version = -1;

  static {
    moveTo = (aggregate, id, version) => {
      const own = aggregate as Aggregate;
      own.#id = id;
      own.#version = version;
    };
  }

  /** The id; empty for an instance that was created with `new`. */
  get aggregateId(): string {
    return this.#id;
  }

  /** The version of the last commit that is applied; -1 before the first. */
  get aggregateVersion(): number {
    return this.#version;
  }

  /** The commands by name; each looks at the state and pushes events, and changes nothing itself. */
  abstract get commands(): CommandMap;

  /** What each event does to the state; pure: the same events give the same state. */
  abstract get events(): EventAppliers<E>;
}

/** An aggregate of whatever events: what Evenant asks of an instance. */
export interface AnyAggregate extends HasEvents {
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  readonly commands: CommandMap;
  readonly events: Readonly<Record<string, (event: never) => void>>;
}

/** What a class of aggregates declares beside its methods. */
export interface AggregateClass<A extends AnyAggregate = AnyAggregate> {
  new (): A;
  readonly name: string;
  /** The type, as a path: `"/calculators"`. */
  readonly path: string;
  /** Who may send which command; a command without an entry is denied. */
  readonly access: Access;
  /** When snapshots are made: `true` (default) at every commit, `{ every: n }`, or `false` for state that is not JSON. */
  readonly snapshot?: SnapshotPolicy;
  /** Who may read its snapshots in the database; they must then fit every store as native fields (`encodeView`). Absent = nobody. */
  readonly readers?: Readers;
  /** Schemas (Standard Schema) that a command's payload must pass, by command name. */
  readonly schemas?: Readonly<Record<string, StandardSchema>>;
  /** Functions that upcast older payloads to the newest shape, by event name. */
  readonly upcasters?: UpcasterMap;
  /** Which events `EventPublisher` publishes, by name, and in which shape; an event without an entry is not published. */
  readonly publish?: AnyPublishMap;
}

/** The type of an aggregate class: its path without the leading slash. */
export function typeOf(Type: { readonly path: string }): string {
  return Type.path.replace(/^\//, "");
}
