import type { IPlatform, Signal } from "../ports/platform.ts";

/** Queues the tenants that may have news, each once, first come first served: the fairness of `run`. */
export class TenantQueue {
  readonly #platform: IPlatform;
  readonly #signal: Signal;
  /** Whether nobody will get a tenant any more. */
  isStopped = false;
  readonly #ready = new Set<string>();
  readonly #taken = new Set<string>();
  readonly #due = new Map<string, number>();
  readonly #sleepers: (() => void)[] = [];

  constructor(platform: IPlatform, signal: Signal) {
    this.#platform = platform;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.stop(), { once: true });
    this.isStopped = signal.aborted;
  }

  /** Puts a tenant at the end of the queue, unless it is in it; while it is being read, it comes again afterwards. */
  ring(tenant: string): void {
    this.#ready.add(tenant);
    this.#sleepers.shift()?.();
  }

  /** Rings at a time (ms since 1970), unless an earlier ring is due. */
  ringAt(tenant: string, at: number): void {
    const due = this.#due.get(tenant);
    if (due !== undefined && due <= at) return;
    this.#due.set(tenant, at);
    void this.#ringLater(tenant, at);
  }

  /** The next tenant, for the caller alone until `done`; undefined once it is stopped. */
  async next(): Promise<string | undefined> {
    while (!this.isStopped) {
      for (const tenant of this.#ready) {
        if (this.#taken.has(tenant)) continue;
        this.#ready.delete(tenant);
        this.#taken.add(tenant);
        return tenant;
      }
      await new Promise<void>((resolve) => this.#sleepers.push(resolve));
    }
    return undefined;
  }

  /** Lets go of a tenant. */
  done(tenant: string): void {
    this.#taken.delete(tenant);
    if (this.#ready.has(tenant)) this.ring(tenant);
  }

  /** Sends everybody who waits for a tenant home; also what the signal does. */
  stop(): void {
    this.isStopped = true;
    for (const wake of this.#sleepers.splice(0)) wake();
  }

  async #ringLater(tenant: string, at: number): Promise<void> {
    await this.#platform.sleep(Math.max(0, at - this.#platform.now()), this.#signal);
    if (this.#due.get(tenant) !== at) return;
    this.#due.delete(tenant);
    this.ring(tenant);
  }
}
