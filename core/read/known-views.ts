import type { JsonObject } from "../model/json.ts";

/** How many views are kept in mind, and how many characters of JSON at most, by a reckoning that is cheap. */
const MOST_VIEWS = 5_000;
const MOST_BYTES = 32 * 1024 * 1024;

interface Known {
  readonly view: JsonObject | undefined;
  readonly bytes: number;
}

/** The views as they are under a lease: read once, then as written. Forgets those used longest ago, but none of the page in hand. */
export class KnownViews {
  readonly #known = new Map<string, Known>();
  #bytes = 0;

  has(id: string): boolean {
    return this.#known.has(id);
  }

  get(id: string): JsonObject | undefined {
    return this.#known.get(id)?.view;
  }

  /** `bytes` is the size of the view's JSON. */
  set(id: string, view: JsonObject | undefined, bytes: number): void {
    const before = this.#known.get(id);
    this.#bytes += bytes - (before?.bytes ?? 0);
    // At the end again: a map gives what was put first first.
    this.#known.delete(id);
    this.#known.set(id, { view, bytes });
  }

  /** Makes room before a page; what it needs, it reads again. */
  forgetOldest(): void {
    for (const [id, { bytes }] of this.#known) {
      if (this.#known.size <= MOST_VIEWS && this.#bytes <= MOST_BYTES) return;
      this.#known.delete(id);
      this.#bytes -= bytes;
    }
  }
}
