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
import type { EvilTwin } from "./evil-twin.ts";

/** How many of an import's commits the twin copies. */
const COPIED = 50;

/** A store whose calls for one tenant first give the evil twin the same names; everything else passes through. */
export class MirroredStore implements IEventStore {
  readonly #store: IEventStore;
  readonly #tenant: string;
  readonly #twin: EvilTwin;
  readonly watch?: (tenant: string, ring: () => void, signal: Signal) => void;
  readonly gather?: () => Promise<void>;

  constructor(store: IEventStore, tenant: string, twin: EvilTwin) {
    this.#store = store;
    this.#tenant = tenant;
    this.#twin = twin;
    if (store.watch) this.watch = store.watch.bind(store);
    if (store.gather) this.gather = store.gather.bind(store);
  }

  async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.#store.load(address, options);
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    if (tenant === this.#tenant) await this.#twin.commits(pending);
    return this.#store.commit(tenant, pending);
  }

  async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    if (tenant === this.#tenant) await this.#twin.answers(commandId);
    return this.#store.receipt(tenant, commandId);
  }

  read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    return this.#store.read(tenant, after, limit, waiting);
  }

  async positionOf(address: Address, version: number): Promise<number | undefined> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.#store.positionOf(address, version);
  }

  async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.#store.redact(address, redactor, redactedAt);
  }

  async peek(tenant: string, thread: string): Promise<Peek> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.#store.peek(tenant, thread);
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.#store.acquire(tenant, thread, seen, leasedUntil);
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    if (lease.tenant === this.#tenant) await this.#twin.moves(lease.thread, update);
    return this.#store.commitCursors(lease, update);
  }

  async parked(
    tenant: string,
    thread: string,
    options: { handler?: string; after?: ParkedKey; limit: number },
  ): Promise<ParkedPage> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.#store.parked(tenant, thread, options);
  }

  views(tenant: string, collection: string): IViews {
    const views = this.#store.views(tenant, collection);
    if (tenant !== this.#tenant) return views;
    return {
      get: async (ids) => {
        await this.#twin.shows(collection, ids);
        return views.get(ids);
      },
      list: async (options) => {
        await this.#twin.shows(collection, ["twin"]);
        return views.list(options);
      },
    };
  }

  open(tenant: string): Promise<void> {
    return this.#store.open(tenant);
  }

  status(tenant: string): Promise<TenantStatus> {
    return this.#store.status(tenant);
  }

  tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage> {
    return this.#store.tenants(options);
  }

  suspend(tenant: string): Promise<void> {
    return this.#store.suspend(tenant);
  }

  export(tenant: string): AsyncIterable<ExportRecord> {
    return this.#store.export(tenant);
  }

  async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    if (tenant !== this.#tenant) return this.#store.import(tenant, records);
    const { read, broken } = await collect(records);
    for (const record of read.slice(0, COPIED)) {
      if (record.kind === "commit") await this.#twin.stands(record.commit.type, record.commit.id);
      if (record.kind === "thread") await this.#twin.threads(record.thread);
    }
    return this.#store.import(tenant, replay(read, broken));
  }

  erase(tenant: string): Promise<void> {
    return this.#store.erase(tenant);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

interface Collected {
  readonly read: readonly ExportRecord[];
  /** What the source threw, where it broke off. */
  readonly broken?: { readonly error: unknown };
}

async function collect(records: AsyncIterable<ExportRecord>): Promise<Collected> {
  const read: ExportRecord[] = [];
  try {
    for await (const record of records) read.push(record);
    return { read };
  } catch (error) {
    return { read, broken: { error } };
  }
}

async function* replay(records: readonly ExportRecord[], broken: Collected["broken"]): AsyncGenerator<ExportRecord> {
  yield* records;
  if (broken !== undefined) throw broken.error;
}
