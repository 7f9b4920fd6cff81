import type { AnyAggregate } from "../model/aggregate.ts";
import { checkInteger } from "../model/arguments.ts";
import { LIMITS, mostBytesOf, type StoredEvent } from "../model/commit.ts";
import { ValidationError } from "../model/errors.ts";
import { apply, stateOf } from "../model/fold.ts";
import { encodeObject, type JsonObject } from "../model/json.ts";
import { isDue } from "../model/snapshot.ts";
import { newestSchema } from "../model/upcast.ts";
import { encodeView } from "../model/view.ts";
import type { Cost, PendingWrite } from "../ports/event-store.ts";
import type { Place } from "./places.ts";
import type { Rehydrated } from "./rehydrate.ts";

/** One aggregate that takes part in an attempt. */
export class Participant {
  readonly place: Place;
  readonly aggregate: AnyAggregate;
  /** The version that was decided upon; -1 without commits. */
  readonly version: number;
  /** The state came from the cache, so it may be stale. */
  readonly isCached: boolean;
  /** What loading it cost. */
  readonly cost: Cost;
  /** The tenant's life in which the state is true; undefined for a new aggregate. */
  readonly life: string | undefined;
  /** The commit must conflict if it changes meanwhile. */
  readonly isVerified: boolean;
  events: readonly StoredEvent[] = [];
  /** The state after the events, once the write is made; undefined where states are not kept. */
  state: JsonObject | undefined;
  /** Bytes of JSON of the events. */
  bytes = 0;

  constructor(place: Place, { aggregate, isCached, life, cost }: Rehydrated, isVerified: boolean) {
    this.place = place;
    this.aggregate = aggregate;
    this.version = aggregate.aggregateVersion;
    this.isCached = isCached;
    this.life = life;
    this.cost = cost;
    this.isVerified = isVerified;
  }

  /** Applies an event and queues it. `encodedBytes` says that the payload is encoded already. @throws {ValidationError} for a bound. */
  push(eventName: string, payload: object, schemaVersion: number | undefined, encodedBytes?: number): void {
    const { Type, type } = this.place.registration;
    const schema =
      schemaVersion === undefined
        ? newestSchema(Type.upcasters, eventName)
        : checkInteger(schemaVersion, "schemaVersion", 0, 1_000_000);
    checkBound(this.events.length + 1, LIMITS.events, `events are pushed on ${type}`);
    const encoded =
      encodedBytes === undefined ? encodeObject(payload, eventName) : { value: payload as JsonObject, bytes: encodedBytes };
    const bytes = this.bytes + mostBytesOf(eventName, encoded.bytes);
    checkBound(bytes, LIMITS.commitBytes, `bytes of events are pushed on ${type}`);
    const event = Object.freeze({ name: eventName, payload: encoded.value, schemaVersion: schema });
    const pushed = [event];
    apply(Type, this.aggregate, pushed);
    this.bytes = bytes;
    // A new array: most commands push one event, and an array that was made by `push` takes room for seventeen.
    this.events = this.events.length === 0 ? pushed : [...this.events, event];
  }

  /** The write of the queued events at the next version, with a snapshot where one is due (or must be). @throws {ValidationError} for state that is not JSON. */
  write(mustSnapshot = false): PendingWrite {
    const { registration, address } = this.place;
    const { plan } = registration;
    const { type, id } = address;
    const version = this.version + 1;
    const events = Object.freeze(this.events);
    if (plan.every === 0) return { type, id, version, events, bytes: this.bytes };
    const { value: state, bytes } = stateOf(this.aggregate);
    this.state = state;
    const isPublished = registration.Type.readers !== undefined;
    if (isPublished) encodeView(state, "state", false);
    if (!mustSnapshot && !isDue(plan, version)) return { type, id, version, events, bytes: this.bytes };
    const { schema } = plan;
    const snapshot = isPublished ? { schema, state, isPublished } : { schema, state };
    return { type, id, version, events, bytes: this.bytes + bytes, snapshot };
  }
}

/** @throws {ValidationError} when a command does more than it may. */
export function checkBound(actual: number, most: number, what: string): void {
  if (actual > most)
    throw new ValidationError("", `${actual} ${what} by one command, at most ${most} are allowed: split the command`);
}
