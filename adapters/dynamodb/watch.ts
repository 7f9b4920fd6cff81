import type { IPlatform, Signal } from "../../core/index.ts";
import { Doorbell } from "../../core/store-kit.ts";
import { openPageKey, textOfKey } from "./keys.ts";
import { getItems } from "./reads.ts";
import { Budget, type Database } from "./requests.ts";

/**
 * Rings for tenants with news: at once for commits of this process, and by looking at the open pages for those of others.
 *
 * One eventually consistent request looks at up to 100 tenants, at half a read unit each. A tenant in which a reader of this process
 * waits for a commit in flight is rung at every look, until the reader has passed it.
 */
export class Watch {
  readonly #database: Database;
  readonly #interval: number;
  readonly #doorbell = new Doorbell();
  readonly #counts = new Map<string, unknown>();
  readonly #waiting = new Set<string>();
  readonly #end = new AbortController();
  #isLooking = false;

  /** `interval` is the time from one look to the next, in ms. */
  constructor(database: Database, interval: number) {
    this.#database = database;
    this.#interval = interval;
  }

  /** Calls `ring` after news of the tenant, until the signal aborts or the watch ends. */
  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#doorbell.watch(tenant, ring, signal, () => this.#forgetUnwatched());
    if (this.#isLooking || this.#end.signal.aborted || this.#doorbell.isIdle) return;
    this.#isLooking = true;
    void this.#look();
  }

  /** News of this process. */
  ring(tenant: string): void {
    this.#doorbell.ring(tenant);
  }

  /** Notes whether a reader waits for something in flight. */
  note(tenant: string, isWaiting: boolean): void {
    if (isWaiting && !this.#doorbell.isIdle) this.#waiting.add(tenant);
    else this.#waiting.delete(tenant);
  }

  close(): void {
    this.#doorbell.close();
    this.#end.abort();
  }

  async #look(): Promise<void> {
    const { platform }: { readonly platform: IPlatform } = this.#database;
    while (!this.#doorbell.isIdle && !this.#end.signal.aborted) {
      try {
        await this.#lookOnce();
      } catch {
        // A hint only: the next look may fare better, and readers poll anyway.
      }
      await platform.sleep(this.#interval, this.#end.signal);
    }
    this.#isLooking = false;
  }

  async #lookOnce(): Promise<void> {
    const tenants = [...this.#doorbell.watched];
    const pages = await getItems(new Budget(this.#database), tenants.map(openPageKey), false);
    for (const tenant of tenants) {
      const count = pages.get(textOfKey(openPageKey(tenant)))?.count;
      const isNew = this.#counts.get(tenant) !== count;
      this.#counts.set(tenant, count);
      if (isNew || this.#waiting.has(tenant)) this.#doorbell.ring(tenant);
    }
  }

  #forgetUnwatched(): void {
    const watched = new Set(this.#doorbell.watched);
    for (const tenant of this.#counts.keys()) if (!watched.has(tenant)) this.#counts.delete(tenant);
    for (const tenant of this.#waiting) if (!watched.has(tenant)) this.#waiting.delete(tenant);
  }
}
