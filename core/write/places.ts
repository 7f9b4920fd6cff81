import { type Address, keyOf } from "../model/address.ts";
import type { JsonObject } from "../model/json.ts";
import type { Registration } from "./registry.ts";

/** A recent state of an aggregate; immutable, so that no command can leave a trace in it. */
export interface WarmState {
  readonly version: number;
  readonly state: JsonObject;
  /** The tenant's life in which it is true. */
  readonly life: string;
  /** ms since 1970. */
  readonly cachedAt: number;
}

/**
 * One aggregate as this process knows it: where it is, its lane and its warm state, so that a command looks it up once.
 *
 * The lane lets the commands on the aggregate through one after another, in the order of their coming.
 */
export class Place {
  readonly registration: Registration;
  readonly address: Address;
  /** `keyOf(address)`. */
  readonly key: string;
  /** May be stale: only the store decides. */
  warm: WarmState | undefined;
  /** How often its events were rewritten here: a state that was loaded before is not kept. */
  redactions = 0;
  /** Somebody is in the lane. */
  isTaken = false;
  #waiting: (() => void)[] | undefined;

  constructor(registration: Registration, address: Address, key: string) {
    this.registration = registration;
    this.address = address;
    this.key = key;
  }

  /** Takes the lane; undefined = at once, else when the promise resolves. The caller must `leave` it, whatever happens. */
  enter(): Promise<void> | undefined {
    if (this.isTaken) {
      this.#waiting ??= [];
      return new Promise((resolve) => this.#waiting?.push(resolve));
    }
    this.isTaken = true;
    return undefined;
  }

  /** Hands the lane to who came next. */
  leave(): void {
    const next = this.#waiting?.shift();
    if (next === undefined) this.isTaken = false;
    else next();
  }
}

/**
 * Keeps the places that were used lately, by `keyOf(address)`: those in use, and those with a warm state.
 *
 * Two generations instead of a list: what is used stays in the young one; when that is full it becomes the old one, and the old one goes.
 */
export class Places {
  #young = new Map<string, Place>();
  #old = new Map<string, Place>();
  readonly #generation: number;
  /** How large the young generation may grow: beside what is in use. */
  #most: number;

  /** Keeps at least half of `size` places beside those in use, and at most `size`. */
  constructor(size: number) {
    this.#generation = Math.max(1, Math.floor(size / 2));
    this.#most = this.#generation;
  }

  /** The place of an id among the aggregates of a registered class. */
  at(registration: Registration, tenant: string, id: string): Place {
    const { type } = registration;
    const key = keyOf({ tenant, type, id });
    let place = this.#young.get(key);
    if (place === undefined) {
      place = this.#old.get(key);
      if (place === undefined) place = new Place(registration, { tenant, type, id }, key);
      else this.#old.delete(key);
      this.#put(place);
    }
    return place;
  }

  /** Leaves a lane, and forgets a place of which there is nothing more to know. */
  leave(place: Place): void {
    place.leave();
    if (place.isTaken || place.warm !== undefined) return;
    this.#young.delete(place.key);
    this.#old.delete(place.key);
  }

  #put(place: Place): void {
    this.#young.set(place.key, place);
    if (this.#young.size <= this.#most) return;
    const gone = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    // A second place of the same aggregate would have another lane.
    for (const one of gone.values()) if (one.isTaken) this.#young.set(one.key, one);
    this.#most = this.#generation + this.#young.size;
  }
}
