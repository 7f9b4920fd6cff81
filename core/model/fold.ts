import { type AggregateClass, type AnyAggregate, moveTo } from "./aggregate.ts";
import type { Commit, StoredEvent } from "./commit.ts";
import { Err } from "./errors.ts";
import { type Encoded, encodeFields, type Json, type JsonObject, thaw } from "./json.ts";
import { own } from "./own.ts";
import { upcast } from "./upcast.ts";

/** Makes an instance in the state before the first event, with its id. */
export function create<A extends AnyAggregate>(Type: AggregateClass<A>, id: string): A {
  const aggregate = new Type();
  moveTo(aggregate, id, -1);
  return aggregate;
}

/** Makes an instance in a kept state: a copy, so that nothing done to it reaches the kept one. */
export function restore<A extends AnyAggregate>(Type: AggregateClass<A>, id: string, version: number, state: JsonObject): A {
  const aggregate = new Type();
  const fields = aggregate as unknown as Record<string, Json | undefined>;
  for (const key in fields) {
    // A field that held undefined was left out when it was kept; the constructor's value must not come back.
    if (state[key] === undefined) fields[key] = undefined;
  }
  for (const key in state) fields[key] = thaw(state[key] as Json);
  moveTo(aggregate, id, version);
  return aggregate;
}

/**
 * The aggregate's own enumerable fields as frozen JSON: its state.
 * @throws {ValidationError} with the path, for state that is not JSON (such a class declares `static snapshot = false`).
 */
export function stateOf(aggregate: AnyAggregate): Encoded<JsonObject> {
  return encodeFields(aggregate, "state");
}

/** Applies events in order, lifted to their newest shape. @throws {Err} `integrity` for an event that the class does not know. */
export function apply(Type: AggregateClass, aggregate: AnyAggregate, events: readonly StoredEvent[]): void {
  const appliers = aggregate.events as Readonly<Record<string, (event: StoredEvent) => void>>;
  for (const event of events) {
    const applier = own(appliers, event.name);
    if (applier === undefined) {
      throw new Err("integrity", `${Type.name} has no event named ${event.name}: keep every stored event in its events`);
    }
    applier.call(appliers, upcast(event, Type.upcasters));
  }
}

/** Applies commits in order and moves the version along. @throws {Err} `integrity` where a version is missing. */
export function applyCommits(Type: AggregateClass, aggregate: AnyAggregate, commits: readonly Commit[]): void {
  for (const commit of commits) {
    const next = aggregate.aggregateVersion + 1;
    if (commit.version !== next) {
      throw new Err("integrity", `${commit.type}/${commit.id} has no version ${next}: restore it from a backup`);
    }
    apply(Type, aggregate, commit.events);
    // After each, because an event's method may look at it.
    moveTo(aggregate, aggregate.aggregateId, next);
  }
}
