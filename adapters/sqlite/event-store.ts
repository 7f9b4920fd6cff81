import {
  type Address,
  type CommitOutcome,
  type CursorOutcome,
  type CursorUpdate,
  checkInteger,
  defaultPlatform,
  Err,
  type ExportRecord,
  type IEventStore,
  type IViews,
  type JsonObject,
  type Lease,
  type LoadOptions,
  type LoadResult,
  type ParkedPage,
  type Peek,
  type PendingCommit,
  type ReadResult,
  type Receipt,
  type Signal,
  type StoredEvent,
  type TenantPage,
  type TenantStatus,
  type ThreadState,
} from "../../core/index.ts";
import { Client } from "./client.ts";
import { loadAll, redactAll, turn } from "./paging.ts";
import type { ParkedOptions } from "./parked.ts";
import { makeTables, type Tables } from "./tables.ts";
import { erase, fill, records } from "./tenants.ts";
import { SqliteViews } from "./views.ts";
import { Watcher } from "./watcher.ts";

/** Settings of a SQLite store. */
export interface SqliteOptions {
  /** The database file; created if it does not exist; its folder must exist. `:memory:` keeps everything in memory. */
  readonly path: string;
  /** The clock, in ms since 1970; for tests. */
  readonly now?: () => number;
  /** How long a call waits for other processes' locks, in ms; default 8,000. */
  readonly deadline?: number;
}

/**
 * Keeps everything in one SQLite file, which several processes of one machine may share (not over a network file system).
 *
 * What is acknowledged is on the disk (WAL, `synchronous = FULL`). Positions are dense, from 1. Whatever is written in the same turn, of
 * whatever tenants, shares one transaction. Erased and redacted data is overwritten in the file (`secure_delete`), and the write-ahead
 * log is emptied, or, while another process is reading, at a later checkpoint. What the disk itself keeps is beyond its control.
 */
export class SqliteEventStore implements IEventStore {
  readonly #tables: Tables;
  readonly #watcher: Watcher;
  readonly #now: () => number;
  #turn: Promise<void> | undefined;

  /** Opens or creates the file. @throws {StoreError} that says what to do: no permission, not a database, damaged, or of a newer Evenant. */
  constructor(options: SqliteOptions) {
    if (typeof options?.path !== "string" || options.path === "") throw Err.missingArgument("path");
    const client = new Client(options.path, checkInteger(options.deadline ?? 8_000, "deadline", 1));
    this.#tables = makeTables(client);
    this.#watcher = new Watcher(client, this.#tables.registry);
    this.#now = options.now ?? defaultPlatform.now;
  }

  async load(address: Address, options: LoadOptions = {}): Promise<LoadResult> {
    return loadAll(this.#tables, address, options);
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const { writer, appender } = this.#tables;
    const outcomes = await writer.write(() => appender.append(tenant, pending));
    if (outcomes.some(({ status }) => status === "committed")) this.#watcher.ring(tenant);
    return outcomes;
  }

  /** One turn of the event loop, so that all the requests that are ready in it share a transaction. */
  gather(): Promise<void> {
    // One promise for all tenants: those that wait for it go on together.
    this.#turn ??= turn().then(() => {
      this.#turn = undefined;
    });
    return this.#turn;
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    const { client, registry, appender } = this.#tables;
    return client.read(() => {
      const row = registry.readable(tenant);
      return row && appender.receipt(row, commandId);
    });
  }

  async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    const { client, log } = this.#tables;
    return client.read(() => log.read(tenant, after, limit));
  }

  async positionOf(address: Address, version: number): Promise<number | undefined> {
    const { client, log } = this.#tables;
    return client.read(() => log.positionOf(address, version));
  }

  async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    return redactAll(this.#tables, address, { redactor, at: redactedAt });
  }

  async peek(tenant: string, thread: string): Promise<Peek> {
    const { client, threads } = this.#tables;
    return client.read(() => threads.peek(tenant, thread));
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    const { writer, threads } = this.#tables;
    return writer.write(() => threads.acquire(tenant, thread, seen, leasedUntil));
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { writer, threads } = this.#tables;
    return writer.write(() => threads.commitCursors(lease, update));
  }

  async parked(tenant: string, thread: string, options: ParkedOptions): Promise<ParkedPage> {
    const { client, registry, parked } = this.#tables;
    return client.read(() => {
      const row = registry.readable(tenant);
      return row === undefined ? { parked: [] } : parked.page(row, thread, options);
    });
  }

  views(tenant: string, collection: string): IViews {
    return new SqliteViews(this.#tables, tenant, collection);
  }

  async open(tenant: string): Promise<void> {
    const { writer, registry } = this.#tables;
    await writer.write(() => registry.open(tenant, this.#now()));
  }

  async status(tenant: string): Promise<TenantStatus> {
    const { client, registry } = this.#tables;
    return client.read(() => registry.status(tenant));
  }

  async tenants({ after = "", limit }: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    const { client, registry } = this.#tables;
    return client.read(() => registry.page(after, limit));
  }

  async suspend(tenant: string): Promise<void> {
    const { writer, registry } = this.#tables;
    await writer.write(() => registry.suspend(tenant));
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    return records(this.#tables, tenant);
  }

  async import(tenant: string, source: AsyncIterable<ExportRecord>): Promise<void> {
    await fill(this.#tables, tenant, source);
    this.#watcher.ring(tenant);
  }

  async erase(tenant: string): Promise<void> {
    await erase(this.#tables, tenant, this.#now);
  }

  /** Rings within 25 ms for commits of other processes too. */
  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#watcher.watch(tenant, ring, signal);
  }

  /** Finishes pending writes, then closes the file; every later call throws a StoreError. */
  async close(): Promise<void> {
    this.#watcher.close();
    await this.#tables.writer.close();
    this.#tables.client.close();
  }
}
