import {
  type Address,
  type CommitOutcome,
  type CursorOutcome,
  type CursorUpdate,
  defaultPlatform,
  type ExportRecord,
  type IEventStore,
  type IPlatform,
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
  type TenantPage,
  type TenantStatus,
  type ThreadState,
  type Waiting,
} from "../../core/index.ts";
import { type Commands, type DocumentClient, documentOf } from "./client.ts";
import { type WriterSetting, writeCommits } from "./commit-writer.ts";
import { exportTenant } from "./export.ts";
import { loadAggregate, positionOf, redactAggregate } from "./history.ts";
import { importTenant } from "./import.ts";
import { openPageKey, receiptKey, textOfKey } from "./keys.ts";
import { isReadable, openPageOf } from "./open-page.ts";
import { type ReaderSetting, readOrder } from "./order-reader.ts";
import { ORDER_RULES, type OrderRules } from "./order-rules.ts";
import { parkedPage } from "./parked.ts";
import { getItems } from "./reads.ts";
import { receiptOf } from "./receipts.ts";
import { Budget, type Database } from "./requests.ts";
import { eraseTenant, getOpenPage, openTenant, suspendTenant, tenantPage } from "./tenants.ts";
import { acquireThread, commitCursors, peekThread } from "./threads.ts";
import { DynamoDbViews } from "./views.ts";
import { Watch } from "./watch.ts";

/** Settings of a DynamoDB store. */
export interface DynamoDbOptions {
  /** The table; `ensureTable` makes it. Several stores may share one. */
  readonly table: string;
  /** The module `@aws-sdk/lib-dynamodb`, where the client is a `DynamoDBDocumentClient`; a `DynamoDBDocument` needs none. */
  readonly commands?: Commands;
  /** How long readers wait for a commit in flight before they void its place, in ms; default 10,000. Any value is safe. */
  readonly graceMs?: number;
  /** How often `watch` looks for commits of other processes, in ms; default 1,000. */
  readonly watchInterval?: number;
  /** The clock, in ms since 1970; for tests. */
  readonly now?: () => number;
}

/** What only tests change. */
export interface DynamoDbInternals {
  readonly platform?: IPlatform;
  readonly rules?: OrderRules;
  /** Lets requests take for ever. */
  readonly isUntimed?: boolean;
}

/**
 * Keeps everything in one DynamoDB table.
 *
 * A tenant's order by "ticket, then write", after the CORFU shared log: (1) one update appends the commits' refs to the tenant's open page
 * and returns their positions; the database queues these updates, so writers never conflict. (2) Each commit is one conditional put at
 * (aggregate, version), carrying its position. A crash between the two leaves a ref whose commit is missing: readers stop there, and after
 * a grace time void it by a conditional tombstone, so that either the commit or the void comes first, for ever. `order-rules.ts` and
 * `docs/decisions` explain why this neither loses, duplicates nor reorders commits; the tests check 100,000 interleavings.
 *
 * All reads are strongly consistent, except those of `watch`. Cost: 2.1 write units for a lone command of up to 1 KB, 1.3 in groups of 16.
 */
export class DynamoDbEventStore implements IEventStore {
  readonly #database: Database;
  readonly #reading: ReaderSetting;
  readonly #writing: WriterSetting;
  readonly #watch: Watch;

  /** `document` is `DynamoDBDocument.from(client)`, with the SDK's own marshalling options. The last argument is for tests. */
  constructor(document: DocumentClient, options: DynamoDbOptions, internals: DynamoDbInternals = {}) {
    const { table, graceMs = 10_000, watchInterval = 1_000 } = options;
    const { rules = ORDER_RULES, isUntimed = false } = internals;
    const now = options.now ?? internals.platform?.now ?? defaultPlatform.now;
    const platform = { ...(internals.platform ?? defaultPlatform), now };
    const stopwatch = isUntimed ? undefined : () => performance.now();
    this.#database = { document: documentOf(document, options.commands), table, platform, stopwatch };
    this.#writing = { database: this.#database, rules };
    this.#reading = { rules, graceMs, now };
    this.#watch = new Watch(this.#database, watchInterval);
  }

  async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    return loadAggregate(this.#begin(), address, options);
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const outcomes = await writeCommits(this.#writing, tenant, pending);
    this.#watch.ring(tenant);
    return outcomes;
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    const [key, pageKey] = [receiptKey(tenant, commandId), openPageKey(tenant)];
    const found = await getItems(this.#begin(), [key, pageKey]);
    const item = found.get(textOfKey(key));
    return item !== undefined && isReadable(openPageOf(found.get(textOfKey(pageKey)))) ? receiptOf(item) : undefined;
  }

  async read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    const result = await readOrder(this.#begin(), this.#reading, tenant, after, limit, waiting);
    this.#watch.note(tenant, result.waiting !== undefined);
    return result;
  }

  async positionOf(address: Address, version: number): Promise<number | undefined> {
    return positionOf(this.#begin(), address, version);
  }

  async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    return redactAggregate(this.#begin(), address, redactor, redactedAt);
  }

  async peek(tenant: string, thread: string): Promise<Peek> {
    return peekThread(this.#begin(), tenant, thread);
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    return acquireThread(this.#begin(), { tenant, thread }, seen, leasedUntil);
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return commitCursors(this.#begin(), lease, update);
  }

  async parked(
    tenant: string,
    thread: string,
    options: { readonly handler?: string; readonly after?: ParkedKey; readonly limit: number },
  ): Promise<ParkedPage> {
    return parkedPage(this.#begin(), tenant, thread, options);
  }

  views(tenant: string, collection: string): IViews {
    return new DynamoDbViews(() => this.#begin(), tenant, collection);
  }

  async open(tenant: string): Promise<void> {
    await openTenant(this.#begin(), tenant, this.#reading.now());
  }

  async status(tenant: string): Promise<TenantStatus> {
    return (await getOpenPage(this.#begin(), tenant))?.status ?? "absent";
  }

  async tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    return tenantPage(this.#begin(), options);
  }

  async suspend(tenant: string): Promise<void> {
    await suspendTenant(this.#begin(), tenant);
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    return exportTenant(this.#database, this.#reading, tenant);
  }

  async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    await importTenant(this.#database, tenant, records);
    this.#watch.ring(tenant);
  }

  async erase(tenant: string): Promise<void> {
    await eraseTenant(this.#begin(), tenant, this.#reading.now());
  }

  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#watch.watch(tenant, ring, signal);
  }

  /** Stops watching; closing the client is up to the caller. */
  async close(): Promise<void> {
    this.#watch.close();
  }

  #begin(): Budget {
    return new Budget(this.#database);
  }
}
