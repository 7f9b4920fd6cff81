import type { Signal } from "./platform.ts";

declare function queueMicrotask(callback: () => void): void;

/**
 * Rings the watchers of a tenant within one process; the part of `watch` that every store can share.
 *
 * Rings of one turn come together: a watcher is called once, in a microtask, however often its tenant was rung.
 */
export class Doorbell {
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #rung = new Set<string>();

  /** The tenants that somebody watches. */
  get watched(): Iterable<string> {
    return this.#watchers.keys();
  }

  /** Whether nobody watches anything. */
  get isIdle(): boolean {
    return this.#watchers.size === 0;
  }

  /** Calls `ring` after each ring of the tenant, until the signal aborts; then calls `left`. */
  watch(tenant: string, ring: () => void, signal: Signal, left?: () => void): void {
    if (signal.aborted) return;
    // A wrapper of its own, so that the same function may watch twice.
    const watcher = () => ring();
    const watchers = this.#watchers.get(tenant) ?? new Set();
    this.#watchers.set(tenant, watchers.add(watcher));
    const leave = () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchers.get(tenant) === watchers) this.#watchers.delete(tenant);
      left?.();
    };
    signal.addEventListener("abort", leave, { once: true });
  }

  /** Rings a tenant; costs next to nothing where nobody watches it. */
  ring(tenant: string): void {
    if (this.#watchers.size === 0 || !this.#watchers.has(tenant)) return;
    if (this.#rung.size === 0) queueMicrotask(() => this.#call());
    this.#rung.add(tenant);
  }

  /** Forgets every watcher. */
  close(): void {
    this.#watchers.clear();
  }

  #call(): void {
    const tenants = [...this.#rung];
    this.#rung.clear();
    for (const tenant of tenants) {
      for (const watcher of [...(this.#watchers.get(tenant) ?? [])]) watcher();
    }
  }
}
