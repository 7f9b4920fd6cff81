import type { AggregateClass, AnyAggregate, EventName, EventsOf } from "../model/aggregate.ts";
import { checkArgument } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { apply, applyCommits, create, stateOf } from "../model/fold.ts";
import { canonicalJson, type DeepReadonly, encodeObject } from "../model/json.ts";
import { newestSchema } from "../model/upcast.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { Participant } from "./participant.ts";
import type { Place } from "./places.ts";
import { isValid } from "./rehydrate.ts";

/** An event that did not happen, for "what if". */
export type HypotheticalEvent<A extends AnyAggregate> = {
  [Name in EventName<A>]: { readonly name: Name; readonly payload: DeepReadonly<EventsOf<A>[Name]> };
}[EventName<A>];

/** An aggregate folded from all of its events. */
export interface Recalculation<A extends AnyAggregate> {
  /** With the hypothetical events applied; its version is the last stored one. */
  readonly aggregate: A;
  /** Whether the stored snapshot equals the fold up to its version; `none` where there is none of the class's schema, or an older than a redaction. */
  readonly snapshot: "equal" | "different" | "none";
}

/** Folds an aggregate from all of its events, compares with its snapshot, then applies hypothetical events. Two loads, no write. */
export async function recalculate<A extends AnyAggregate>(
  store: IEventStore,
  { registration, address }: Place,
  hypothetical: readonly HypotheticalEvent<A>[],
): Promise<Recalculation<A>> {
  checkArgument(Array.isArray(hypothetical), "hypotheticalEvents", "give an array of { name, payload }");
  const { Type, plan } = registration;
  const kept = await store.load(address);
  const { commits } = await store.load(address, { after: -1 });
  const aggregate = create(Type, address.id);
  // A class that takes no snapshots may have one of the time before; its state may be no JSON by now.
  const { snapshot } = kept;
  const isComparable = snapshot !== undefined && plan.every > 0 && isValid(kept, plan);
  const upTo = isComparable ? snapshot.version + 1 : 0;
  applyCommits(Type, aggregate, commits.slice(0, upTo));
  const equality =
    isComparable && canonicalJson(snapshot.state) === canonicalJson(stateOf(aggregate).value) ? "equal" : "different";
  applyCommits(Type, aggregate, commits.slice(upTo));
  applyHypothetical(Type, aggregate, hypothetical);
  return { aggregate: aggregate as A, snapshot: isComparable ? equality : "none" };
}

/** @throws {Err} `integrity` where an aggregate's state is not what its events alone give: something changed it without an event. */
export async function refuseImpure(store: IEventStore, participants: Iterable<Participant>): Promise<void> {
  for (const { place, events, version, state, life = "" } of participants) {
    const { registration, address } = place;
    if (events.length === 0 || state === undefined) continue;
    const stored = await store.load(address, { after: -1 });
    const { commits } = stored;
    // Somebody was faster, or the tenant began another life: the commit will be refused, and the next attempt is compared.
    if (commits.length !== version + 1 || (version >= 0 && stored.life !== life)) continue;
    const fold = create(registration.Type, address.id);
    applyCommits(registration.Type, fold, commits);
    apply(registration.Type, fold, events);
    if (canonicalJson(stateOf(fold).value) !== canonicalJson(state)) {
      throw new Err(
        "integrity",
        `the state of ${address.type}/${address.id} differs from a fold of its events: change state in event methods only, and keep these pure`,
      );
    }
  }
}

function applyHypothetical<A extends AnyAggregate>(
  Type: AggregateClass,
  aggregate: AnyAggregate,
  events: readonly HypotheticalEvent<A>[],
): void {
  for (const { name, payload } of events) {
    const schemaVersion = newestSchema(Type.upcasters, name);
    apply(Type, aggregate, [{ name, payload: encodeObject(payload, name).value, schemaVersion }]);
  }
}
