import type { JsonObject } from "../model/json.ts";

/** A recent state of an aggregate; immutable, so that no command can leave a trace in it. */
export interface CachedState {
  readonly version: number;
  readonly state: JsonObject;
  /** The tenant's life in which it is true. */
  readonly life: string;
  /** ms since 1970. */
  readonly cachedAt: number;
}

/** How long a cached state may be used, in ms: shorter than an erased tenant's name rests. */
const MAX_AGE = 10 * 60 * 1000;

/**
 * Keeps the states that were used lately, by `keyOf(address)`. Any entry may be stale: only the store decides.
 *
 * Two generations instead of a list: what is used stays in the young one; when that is full it becomes the old one, and the old one goes.
 */
export class StateCache {
  #young = new Map<string, CachedState>();
  #old = new Map<string, CachedState>();
  readonly #generation: number;

  /** Keeps at least half of `size` states, and at most `size`. */
  constructor(size: number) {
    this.#generation = Math.max(1, Math.floor(size / 2));
  }

  /** A state not older than 10 minutes. */
  get(key: string, now: number): CachedState | undefined {
    let entry = this.#young.get(key);
    if (entry === undefined) {
      entry = this.#old.get(key);
      if (entry === undefined) return undefined;
      this.#old.delete(key);
      this.#put(key, entry);
    }
    if (now - entry.cachedAt <= MAX_AGE) return entry;
    this.delete(key);
    return undefined;
  }

  /** Keeps a state, unless a newer version is kept. */
  set(key: string, entry: CachedState): void {
    const known = this.#young.get(key) ?? this.#old.get(key);
    if (known !== undefined && known.version > entry.version) return;
    this.#put(key, entry);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  #put(key: string, entry: CachedState): void {
    this.#young.set(key, entry);
    if (this.#young.size <= this.#generation) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
