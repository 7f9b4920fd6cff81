import type { IPlatform } from "../ports/platform.ts";

/** How far a rebuild or a replay is. */
export interface RebuildProgress {
  /** Events that this call has handed over, and about how many it will hand over in all. */
  readonly events: number;
  readonly total: number;
  /** The position up to which everything is done, and the last one. */
  readonly position: number;
  readonly head: number;
  readonly eventsPerSecond: number;
  /** About how long the rest will take, in ms. */
  readonly eta: number;
}

/** Reckons how far a run through the order is, from where it began and when. */
export class RebuildMeter {
  readonly #platform: IPlatform;
  readonly #from: number;
  readonly #since: number;

  constructor(platform: IPlatform, from: number) {
    this.#platform = platform;
    this.#from = from;
    this.#since = platform.now();
  }

  read(events: number, position: number, head: number): RebuildProgress {
    const elapsed = Math.max(1, this.#platform.now() - this.#since);
    const done = position - this.#from;
    const left = Math.max(0, head - position);
    return {
      events,
      total: done === 0 ? events : Math.round(events * (1 + left / done)),
      position,
      head,
      eventsPerSecond: (events * 1_000) / elapsed,
      eta: done === 0 ? 0 : Math.round((elapsed * left) / done),
    };
  }
}
