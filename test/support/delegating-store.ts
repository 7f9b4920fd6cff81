import type {
  Address,
  CommitOutcome,
  CursorOutcome,
  CursorUpdate,
  ExportRecord,
  IEventStore,
  IViews,
  JsonObject,
  Lease,
  LoadOptions,
  LoadResult,
  ParkedKey,
  ParkedPage,
  Peek,
  PendingCommit,
  ReadResult,
  Receipt,
  Signal,
  StoredEvent,
  TenantPage,
  TenantStatus,
  ThreadState,
  Waiting,
} from "../../core/index.ts";

/** What `parked` takes. */
export type ParkedOptions = Parameters<IEventStore["parked"]>[2];

/** A store that passes every call on; the stores of the tests change some of them. */
export class DelegatingStore implements IEventStore {
  protected readonly inner: IEventStore;
  readonly watch?: (tenant: string, ring: () => void, signal: Signal) => void;
  readonly gather?: () => Promise<void>;

  constructor(inner: IEventStore) {
    this.inner = inner;
    if (inner.watch) this.watch = inner.watch.bind(inner);
    if (inner.gather) this.gather = inner.gather.bind(inner);
  }

  async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    return this.inner.load(address, options);
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(tenant, pending);
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    return this.inner.receipt(tenant, commandId);
  }

  async read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    return this.inner.read(tenant, after, limit, waiting);
  }

  async positionOf(address: Address, version: number): Promise<number | undefined> {
    return this.inner.positionOf(address, version);
  }

  async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    return this.inner.redact(address, redactor, redactedAt);
  }

  async peek(tenant: string, thread: string): Promise<Peek> {
    return this.inner.peek(tenant, thread);
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    return this.inner.acquire(tenant, thread, seen, leasedUntil);
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return this.inner.commitCursors(lease, update);
  }

  async parked(
    tenant: string,
    thread: string,
    options: { readonly handler?: string; readonly after?: ParkedKey; readonly limit: number },
  ): Promise<ParkedPage> {
    return this.inner.parked(tenant, thread, options);
  }

  views(tenant: string, collection: string): IViews {
    return this.inner.views(tenant, collection);
  }

  async open(tenant: string): Promise<void> {
    return this.inner.open(tenant);
  }

  async status(tenant: string): Promise<TenantStatus> {
    return this.inner.status(tenant);
  }

  async tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    return this.inner.tenants(options);
  }

  async suspend(tenant: string): Promise<void> {
    return this.inner.suspend(tenant);
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    return this.inner.export(tenant);
  }

  async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    return this.inner.import(tenant, records);
  }

  async erase(tenant: string): Promise<void> {
    return this.inner.erase(tenant);
  }

  async close(): Promise<void> {
    return this.inner.close();
  }
}
