import { defaultPlatform, type Signal } from "../../core/index.ts";
import { Doorbell } from "../../core/store-kit.ts";
import type { FirestoreClient } from "./client.ts";
import { pathOf } from "./keys.ts";

/** How long to wait before listening again to a tenant whose listener failed, in ms. */
const LISTEN_AGAIN = 5_000;

/** Rings when a tenant's open log changes: one listener a tenant, however many watch it; it costs one read a change. */
export class Watch {
  readonly #client: FirestoreClient;
  readonly #doorbell = new Doorbell();
  readonly #listeners = new Map<string, () => void>();
  readonly #watchers = new Map<string, number>();

  constructor(client: FirestoreClient) {
    this.#client = client;
  }

  watch(tenant: string, ring: () => void, signal: Signal): void {
    if (signal.aborted) return;
    const count = this.#watchers.get(tenant) ?? 0;
    this.#watchers.set(tenant, count + 1);
    this.#doorbell.watch(tenant, ring, signal, () => this.#leave(tenant));
    if (count === 0) this.#listen(tenant);
  }

  close(): void {
    this.#doorbell.close();
    for (const stop of this.#listeners.values()) stop();
    this.#listeners.clear();
    this.#watchers.clear();
  }

  #leave(tenant: string): void {
    const left = (this.#watchers.get(tenant) ?? 1) - 1;
    if (left > 0) this.#watchers.set(tenant, left);
    else {
      this.#watchers.delete(tenant);
      this.#listeners.get(tenant)?.();
      this.#listeners.delete(tenant);
    }
  }

  #listen(tenant: string): void {
    const stop = this.#client.doc(pathOf(tenant, "log", "open")).onSnapshot(
      () => this.#doorbell.ring(tenant),
      () => void this.#listenAgain(tenant),
    );
    this.#listeners.set(tenant, stop);
  }

  /** A listener that failed is over for good; the poll that its last ring asks for finds what it missed. */
  async #listenAgain(tenant: string): Promise<void> {
    this.#doorbell.ring(tenant);
    const listener = this.#listeners.get(tenant);
    await defaultPlatform.sleep(LISTEN_AGAIN * (0.5 + defaultPlatform.random()));
    if (listener !== undefined && this.#listeners.get(tenant) === listener) this.#listen(tenant);
  }
}
