import { defaultPlatform, type Signal } from "../../core/index.ts";
import { Doorbell } from "../../core/store-kit.ts";
import type { FirestoreClient } from "./client.ts";
import { openKey, pathOf } from "./keys.ts";
import type { Logs } from "./logs.ts";

/** How long to wait before listening again to a tenant whose listener failed, or whose log is closed, in ms. */
const LISTEN_AGAIN = 10_000;

/** Rings when a tenant's open log changes: one listener a tenant, however many watch it; it costs one read a change. */
export class Watch {
  readonly #client: FirestoreClient;
  readonly #logs: Logs;
  readonly #doorbell = new Doorbell();
  readonly #listeners = new Map<string, () => void>();
  readonly #watchers = new Map<string, number>();

  constructor(client: FirestoreClient, logs: Logs) {
    this.#client = client;
    this.#logs = logs;
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
    const again = () => void this.#listenAgain(tenant, stop);
    const stop = this.#client.doc(pathOf(tenant, "log", openKey(this.#logs.lifeOf(tenant)))).onSnapshot((log) => {
      this.#doorbell.ring(tenant);
      if (!log.exists) again();
    }, again);
    this.#listeners.set(tenant, stop);
  }

  /** A listener that failed is over, and a log that is closed may open in another life. What is missed meanwhile the next ring makes up for. */
  async #listenAgain(tenant: string, stop: () => void): Promise<void> {
    await defaultPlatform.sleep(LISTEN_AGAIN * (0.5 + defaultPlatform.random()));
    if (this.#listeners.get(tenant) !== stop) return;
    await this.#logs.fetch(tenant).catch(() => {});
    if (this.#listeners.get(tenant) !== stop) return;
    stop();
    this.#listen(tenant);
  }
}
