import {
  type Address,
  type CommitOutcome,
  type CursorOutcome,
  type CursorUpdate,
  defaultPlatform,
  type ExportRecord,
  type IEventStore,
  type IViews,
  type JsonObject,
  type Lease,
  type LoadOptions,
  type LoadResult,
  type ParkedKey,
  type ParkedPage,
  type Peek,
  type PendingCommit,
  type ReadResult,
  type Receipt,
  type Signal,
  type StoredEvent,
  TenantError,
  type TenantPage,
  type TenantStatus,
  type ThreadState,
} from "../../core/index.ts";
import { Doorbell } from "../../core/store-kit.ts";
import { freeThread } from "./space.ts";
import { loadFrom } from "./stream.ts";
import { Tenants } from "./tenants.ts";
import { acquire, commitCursors, parkedPage } from "./threads.ts";
import { MemoryViews } from "./views.ts";

/** Settings of a memory store. */
export interface MemoryOptions {
  /** The clock, in ms since 1970; for tests. */
  readonly now?: () => number;
}

/**
 * Keeps everything in this process's memory: for tests, and as the reference implementation of a store.
 *
 * Deterministic, without timers. Positions are dense, from 1. It shares what it is given and what it returns, all of it frozen.
 */
export class MemoryEventStore implements IEventStore {
  readonly #tenants: Tenants;
  readonly #doorbell = new Doorbell();

  constructor(options: MemoryOptions = {}) {
    this.#tenants = new Tenants(options.now ?? defaultPlatform.now);
  }

  async load({ tenant, type, id }: Address, options?: LoadOptions): Promise<LoadResult> {
    const space = this.#tenants.readable(tenant);
    return { ...loadFrom(space?.log.stream(type, id), options), life: space?.life ?? "" };
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const { log, life } = this.#tenants.writable(tenant);
    const head = log.head;
    const outcomes = pending.map((commit): CommitOutcome => {
      const isReborn = commit.life !== undefined && commit.life !== life;
      return isReborn ? { status: "reborn" } : log.append(tenant, life, commit);
    });
    if (log.head > head) this.#doorbell.ring(tenant);
    return outcomes;
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    return this.#tenants.readable(tenant)?.log.receipt(commandId);
  }

  async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    return this.#tenants.readable(tenant)?.log.read(after, limit) ?? { commits: [], next: after };
  }

  async positionOf({ tenant, type, id }: Address, version: number): Promise<number | undefined> {
    return this.#tenants.readable(tenant)?.log.stream(type, id)?.commits[version]?.position;
  }

  async redact({ tenant, type, id }: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    return this.#tenants.readable(tenant)?.log.redact(type, id, redactor, redactedAt) ?? 0;
  }

  async peek(tenant: string, thread: string): Promise<Peek> {
    const space = this.#tenants.readable(tenant);
    return { thread: space?.stateOf(thread) ?? freeThread(0), head: space?.log.head ?? 0 };
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    const space = this.#tenants.readable(tenant);
    if (space === undefined) throw new TenantError(tenant, this.#tenants.status(tenant));
    return acquire(space, { tenant, thread }, seen, leasedUntil);
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const space = this.#tenants.readable(lease.tenant);
    return space === undefined ? { status: "fenced" } : commitCursors(space, lease, update);
  }

  async parked(
    tenant: string,
    thread: string,
    options: { readonly handler?: string; readonly after?: ParkedKey; readonly limit: number },
  ): Promise<ParkedPage> {
    const space = this.#tenants.readable(tenant);
    return space === undefined ? { parked: [] } : parkedPage(space, thread, options);
  }

  views(tenant: string, collection: string): IViews {
    return new MemoryViews(() => this.#tenants.readable(tenant)?.views.get(collection));
  }

  async open(tenant: string): Promise<void> {
    this.#tenants.open(tenant);
  }

  async status(tenant: string): Promise<TenantStatus> {
    return this.#tenants.status(tenant);
  }

  async tenants({ after = "", limit }: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    return this.#tenants.page(after, limit);
  }

  async suspend(tenant: string): Promise<void> {
    this.#tenants.suspend(tenant);
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    return this.#tenants.export(tenant);
  }

  async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    await this.#tenants.import(tenant, records);
    this.#doorbell.ring(tenant);
  }

  async erase(tenant: string): Promise<void> {
    this.#tenants.erase(tenant);
  }

  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#doorbell.watch(tenant, ring, signal);
  }

  /** Forgets its watchers; what is stored stays. */
  async close(): Promise<void> {
    this.#doorbell.close();
  }
}
