import type { JsonObject } from "../model/json.ts";

/** A recent state of an aggregate; immutable, so that no command can leave a trace in it. */
export interface CachedState {
  readonly version: number;
  readonly state: JsonObject;
  /** ms since 1970. */
  readonly cachedAt: number;
}

/** How long a cached state may be used, in ms: shorter than an erased tenant's name rests. */
const MAX_AGE = 10 * 60 * 1000;

/** Keeps the most recently used states, by `keyOf(address)`. Any entry may be stale: only the store decides. */
export class StateCache {
  readonly #entries = new Map<string, CachedState>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** A state not older than 10 minutes, and makes it the most recent. */
  get(key: string, now: number): CachedState | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (now - entry.cachedAt > MAX_AGE) return undefined;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps a state, unless a newer version is kept; drops the least recently used above the size. */
  set(key: string, entry: CachedState): void {
    const known = this.#entries.get(key);
    if (known !== undefined && known.version > entry.version) return;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size > this.#size) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
