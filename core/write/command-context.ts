import type { Actor } from "../model/actor.ts";
import type { AggregateClass, AnyAggregate, EventsOf, HasEvents } from "../model/aggregate.ts";
import type { StoredEvent } from "../model/commit.ts";
import type { DeepReadonly, JsonObject } from "../model/json.ts";
import type { Cost } from "../ports/event-store.ts";

/** The payload of a command that takes none. */
export type EmptyPayload = Readonly<Record<never, never>>;

/** What follows the event's name in `push`: the payload may be left out where the command's own payload fits. */
type PushRest<CommandPayload, EventPayload> =
  DeepReadonly<CommandPayload> extends DeepReadonly<EventPayload>
    ? [payload?: DeepReadonly<EventPayload>, schemaVersion?: number]
    : [payload: DeepReadonly<EventPayload>, schemaVersion?: number];

/**
 * What a command sees while it decides, and what `CommandHandler.command` resolves to.
 *
 * A command may be run again after a conflict: it must have no effect except through its context, and must not await another command.
 */
export interface CommandContext<A extends HasEvents, Payload = EmptyPayload> {
  readonly actor: Actor;
  readonly command: string;
  /** The aggregate's type: its path without the slash. */
  readonly aggregateType: string;
  /** The id; generated if the caller gave none. */
  readonly aggregateId: string;
  /** What the caller expected; undefined = the latest. */
  readonly expectedVersion: number | undefined;
  /** The command's payload, deep-frozen. */
  readonly payload: DeepReadonly<Payload>;
  /** The aggregate: with the pushed events applied. */
  readonly aggregate: A;
  /** The events pushed so far; afterwards those of the commit. */
  readonly events: readonly StoredEvent[];
  /** The id of the commit, 21 characters; of the first one where the command was `replayed`. */
  readonly commitId: string;
  /** Whether an earlier command with the same commandId gave this result. */
  readonly replayed: boolean;
  /** What the command cost so far, in the store's units. */
  readonly cost: Cost;

  /** Applies an event to the aggregate and queues it for the commit. `schemaVersion` defaults to the newest by the upcasters. */
  push<Name extends keyof EventsOf<A> & string>(eventName: Name, ...rest: PushRest<Payload, EventsOf<A>[Name]>): void;

  /**
   * Reads another aggregate of the tenant. The commit conflicts, and the command decides again, if that one changes meanwhile.
   *
   * With `verify: false` it does not conflict, and the state is always read from the store. At most 16 aggregates are verified.
   */
  load<B extends AnyAggregate>(Type: AggregateClass<B>, id: string, options?: { readonly verify?: boolean }): Promise<B>;

  /** Applies an event to another aggregate of the tenant and queues it for the same atomic commit; resolves to that aggregate. */
  append<B extends AnyAggregate, Name extends keyof EventsOf<B> & string>(
    Type: AggregateClass<B>,
    id: string,
    eventName: Name,
    payload: DeepReadonly<EventsOf<B>[Name]>,
    schemaVersion?: number,
  ): Promise<B>;

  /**
   * The commit's position in the tenant's order; the last one if several aggregates were written, so a reader at it has everything. 0 if
   * there is none. After a replay, that of the command's own aggregate. Call it after the command only. Cost: at most one read.
   */
  position(): Promise<number>;
}

/** A command's result, before the handler gives it its own types. */
export type Context = CommandContext<AnyAggregate, JsonObject>;
