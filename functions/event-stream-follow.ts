import { defaultPlatform, type IEventStore, type IPlatform } from "../core/index.ts";
import { fullJitter } from "../core/store-kit.ts";
import { errorFacts, type Log } from "./log.ts";

/** How long a follower lets news gather before it looks, in ms. */
const GATHER = 10;
/** How soon it looks again while the reader of a thread is behind: doubling from, up to, in ms. */
const SOON = 5;
const LATER = 250;
/** The pauses after looks that fail, in ms: the first and the longest, as `fullJitter` spreads them. */
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 5_000;
/** How often it looks although nothing rang, in ms: rings may be missing, and some stores have none. */
const LOOK_ANYWAY = 5_000;
const LOOK_WITHOUT_BELL = 500;

/** What one look found: everything passed on, something passed on and more to come, or a reader that has not come there yet. */
export type Look = "settled" | "moved" | "behind";

/** Looks for a tenant's news, one look after the other: when the store or `wake` rings, and now and then anyway. */
export class Follower {
  readonly #stop = new AbortController();
  #isRung = true;
  #rest = new AbortController();
  readonly #platform: IPlatform;

  constructor(platform: IPlatform = defaultPlatform) {
    this.#platform = platform;
  }

  /** Stops the looks; the one in hand comes to its end. */
  stop(): void {
    this.#stop.abort();
    this.#rest.abort();
  }

  /** Rings: there is something to look at. */
  wake(): void {
    this.#isRung = true;
    this.#rest.abort();
  }

  /** Follows until it is stopped; a look that fails is tried again, ever less often, and the outage is logged once. */
  async follow(store: IEventStore, tenant: string, look: () => Promise<Look>, log: Log | undefined): Promise<void> {
    const { signal } = this.#stop;
    store.watch?.(tenant, () => this.wake(), signal);
    const anyway = store.watch === undefined ? LOOK_WITHOUT_BELL : LOOK_ANYWAY;
    let failed = 0;
    for (let pause = SOON; !signal.aborted; ) {
      this.#isRung = false;
      try {
        const found = await look();
        if (failed > 0) log?.("INFO", "a stream's look at the store succeeds again", { tenant, failed });
        failed = 0;
        if (found === "settled" && !this.#isRung) await this.#restFor(anyway);
        await this.#platform.sleep(found === "behind" ? pause : GATHER, signal);
        pause = found === "behind" ? Math.min(pause * 2, LATER) : SOON;
      } catch (error) {
        const facts = { tenant, error: errorFacts(error) };
        if (failed === 0) log?.("WARNING", "a stream's look at the store failed: it looks again, ever less often", facts);
        await this.#platform.sleep(
          fullJitter(failed++, FIRST_PAUSE, LONGEST_PAUSE, () => this.#platform.random()),
          signal,
        );
      }
    }
  }

  async #restFor(ms: number): Promise<void> {
    this.#rest = new AbortController();
    await this.#platform.sleep(ms, AbortSignal.any([this.#rest.signal, this.#stop.signal]));
  }
}
