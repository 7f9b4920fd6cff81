import { defaultPlatform, type IEventStore } from "../core/index.ts";
import { errorFacts, type Log } from "./log.ts";

/** How long a follower lets news gather before it looks, in ms. */
const GATHER = 10;
/** How soon it looks again while the reader of a thread is behind: doubling from, up to, in ms. */
const SOON = 5;
const LATER = 250;
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

  /** Follows until it is stopped; a look that fails is logged and tried again. */
  async follow(store: IEventStore, tenant: string, look: () => Promise<Look>, log: Log | undefined): Promise<void> {
    const { signal } = this.#stop;
    store.watch?.(tenant, () => this.wake(), signal);
    const anyway = store.watch === undefined ? LOOK_WITHOUT_BELL : LOOK_ANYWAY;
    for (let pause = SOON; !signal.aborted; ) {
      this.#isRung = false;
      let found: Look = "behind";
      try {
        found = await look();
      } catch (error) {
        log?.("WARNING", "a stream's look at the store failed: it looks again", { tenant, error: errorFacts(error) });
        pause = LATER;
      }
      if (found === "settled" && !this.#isRung) await this.#restFor(anyway);
      await defaultPlatform.sleep(found === "behind" ? pause : GATHER, signal);
      pause = found === "behind" ? Math.min(pause * 2, LATER) : SOON;
    }
  }

  async #restFor(ms: number): Promise<void> {
    this.#rest = new AbortController();
    await defaultPlatform.sleep(ms, AbortSignal.any([this.#rest.signal, this.#stop.signal]));
  }
}
