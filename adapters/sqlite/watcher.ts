import type { Signal } from "../../core/index.ts";
import { Doorbell } from "../../core/store-kit.ts";
import type { Client } from "./client.ts";
import type { Registry } from "./registry.ts";

/** How often other processes' commits are looked for, in ms. */
const INTERVAL = 25;

/** Rings for commits: those of this process at once, those of others within 25 ms. One timer serves all tenants, and none while nobody watches. */
export class Watcher {
  readonly #registry: Registry;
  readonly #dataVersion;
  readonly #doorbell = new Doorbell();
  /** The head at which each watched tenant was last seen. */
  #heads = new Map<string, number>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #seenVersion = -1;

  constructor(client: Client, registry: Registry) {
    this.#registry = registry;
    // Changes when another connection commits, and costs a look at shared memory.
    this.#dataVersion = client.query<{ readonly data_version: number }>("PRAGMA data_version");
  }

  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#doorbell.watch(tenant, ring, signal, () => this.#leave());
    if (this.#doorbell.isIdle || this.#timer !== undefined) return;
    this.#seenVersion = -1;
    this.#timer = setInterval(() => this.#look(), INTERVAL);
    this.#timer.unref();
  }

  /** Rings a tenant for a commit of this process. */
  ring(tenant: string): void {
    this.#doorbell.ring(tenant);
  }

  close(): void {
    this.#doorbell.close();
    this.#leave();
  }

  #leave(): void {
    if (!this.#doorbell.isIdle) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#heads.clear();
  }

  #look(): void {
    try {
      const version = this.#dataVersion.get()?.data_version ?? -1;
      if (version === this.#seenVersion) return;
      const heads = new Map<string, number>();
      for (const tenant of this.#doorbell.watched) heads.set(tenant, this.#registry.find(tenant)?.head ?? 0);
      for (const [tenant, head] of heads) if (this.#heads.get(tenant) !== head) this.#doorbell.ring(tenant);
      this.#heads = heads;
      this.#seenVersion = version;
    } catch {
      // A lock, or a file that failed: the calls that need it will tell; the next look may ring.
    }
  }
}
