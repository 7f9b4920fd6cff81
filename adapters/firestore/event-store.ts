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
import { Append } from "./append.ts";
import { type FieldValues, type FirestoreClient, fieldValuesOf } from "./client.ts";
import { Database } from "./database.ts";
import { receiptIn } from "./documents.ts";
import { exportTenant } from "./export.ts";
import { History } from "./history.ts";
import { importTenant } from "./import.ts";
import { idKey, pathOf } from "./keys.ts";
import { Logs } from "./logs.ts";
import { Order } from "./order.ts";
import { type ParkedOptions, parkedPage } from "./parked.ts";
import { Registry } from "./registry.ts";
import { Tenants } from "./tenants.ts";
import { Threads } from "./threads.ts";
import { FirestoreViews } from "./views.ts";
import { Watch } from "./watch.ts";

/** Settings of a Firestore store. */
export interface FirestoreOptions {
  /** The clock, in ms since 1970; for tests. */
  readonly now?: () => number;
  /** Uniform in [0, 1): which commits look how full the log is; for tests. */
  readonly random?: () => number;
  /** How long a call may take before it ends with a `StoreError`, in ms; default 8,000. Exports, imports and erasures: each step. */
  readonly deadline?: number;
  /** The `FieldValue` of the client's SDK, for a client that hides its class. */
  readonly fieldValue?: FieldValues;
}

const DEADLINE = 8_000;

/**
 * Keeps tenants in Firestore, each in the documents below `tenants/{tenant}`; `keys.ts` lists them.
 *
 * The order of a tenant is the order of an array that the server appends to, in the same atomic batch as the commits: see `append.ts`
 * for writing it, `logs.ts` for what becomes of the array when it has grown, `order.ts` for reading it, `threads.ts` for leases.
 */
export class FirestoreEventStore implements IEventStore {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #registry: Registry;
  readonly #logs: Logs;
  readonly #order: Order;
  readonly #append: Append;
  readonly #history: History;
  readonly #threads: Threads;
  readonly #tenants: Tenants;
  readonly #watch: Watch;

  /** `firestore`: a client of `@google-cloud/firestore` or `firebase-admin/firestore`; terminating it is up to the caller. */
  constructor(firestore: FirestoreClient, options: FirestoreOptions = {}) {
    this.#now = options.now ?? defaultPlatform.now;
    this.#database = new Database(firestore, options.fieldValue ?? fieldValuesOf(firestore), options.deadline ?? DEADLINE);
    this.#registry = new Registry(this.#database);
    const statusOf = (tenant: string) => this.#registry.status(tenant);
    this.#logs = new Logs(this.#database, this.#registry, options.random ?? defaultPlatform.random);
    this.#order = new Order(this.#database, this.#logs);
    this.#append = new Append(this.#database, this.#logs, this.#now, statusOf);
    this.#history = new History(this.#database, this.#logs);
    this.#threads = new Threads(this.#database, this.#logs, statusOf);
    this.#tenants = new Tenants(this.#database, this.#registry, this.#now);
    this.#watch = new Watch(firestore, this.#logs);
  }

  load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    return this.#history.load(address, options);
  }

  commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.#append.commit(tenant, pending);
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    const [document] = await this.#database.get([pathOf(tenant, "receipts", idKey(commandId))]);
    return receiptIn(document);
  }

  read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    return this.#order.read(tenant, after, limit);
  }

  positionOf(address: Address, version: number): Promise<number | undefined> {
    return this.#order.positionOf(address, version);
  }

  redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    return this.#history.redact(address, redactor, redactedAt);
  }

  peek(tenant: string, thread: string): Promise<Peek> {
    return this.#threads.peek(tenant, thread);
  }

  acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    return this.#threads.acquire(tenant, thread, seen, leasedUntil);
  }

  commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return this.#threads.commitCursors(lease, update);
  }

  parked(tenant: string, thread: string, options: ParkedOptions): Promise<ParkedPage> {
    return parkedPage(this.#database, tenant, thread, options);
  }

  views(tenant: string, collection: string): IViews {
    return new FirestoreViews(this.#database, tenant, collection);
  }

  open(tenant: string): Promise<void> {
    return this.#tenants.open(tenant);
  }

  status(tenant: string): Promise<TenantStatus> {
    return this.#registry.status(tenant);
  }

  tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    return this.#registry.page(options);
  }

  suspend(tenant: string): Promise<void> {
    return this.#tenants.suspend(tenant);
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    const setting = { database: this.#database, logs: this.#logs, order: this.#order };
    return exportTenant({ ...setting, statusOf: (name) => this.status(name) }, tenant);
  }

  async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    await importTenant(this.#database, this.#registry, this.#now, tenant, records);
    this.#forget(tenant);
  }

  async erase(tenant: string): Promise<void> {
    try {
      await this.#tenants.erase(tenant);
    } finally {
      this.#forget(tenant);
    }
  }

  watch(tenant: string, ring: () => void, signal: Signal): void {
    this.#watch.watch(tenant, ring, signal);
  }

  /** Lets the commands that this turn of the event loop makes ready join the group. */
  gather(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** Stops listening and waits for background work; the client stays open. */
  async close(): Promise<void> {
    this.#watch.close();
    await this.#logs.settle();
  }

  #forget(tenant: string): void {
    this.#logs.forget(tenant);
    this.#threads.forget(tenant);
  }
}
