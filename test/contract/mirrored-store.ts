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
  ParkedPage,
  Peek,
  PendingCommit,
  Receipt,
  StoredEvent,
  ThreadState,
} from "../../core/index.ts";
import { DelegatingStore, type ParkedOptions } from "../support/delegating-store.ts";
import type { EvilTwin } from "./evil-twin.ts";

/** How many of an import's records the twin copies. */
const COPIED = 50;

/** A store whose calls for one tenant first give the evil twin the same names; everything else passes through. */
export class MirroredStore extends DelegatingStore {
  readonly #tenant: string;
  readonly #twin: EvilTwin;

  constructor(store: IEventStore, tenant: string, twin: EvilTwin) {
    super(store);
    this.#tenant = tenant;
    this.#twin = twin;
  }

  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.inner.load(address, options);
  }

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    if (tenant === this.#tenant) await this.#twin.commits(pending);
    return this.inner.commit(tenant, pending);
  }

  override async receipt(tenant: string, commandId: string): Promise<Receipt | undefined> {
    if (tenant === this.#tenant) await this.#twin.answers(commandId);
    return this.inner.receipt(tenant, commandId);
  }

  override async positionOf(address: Address, version: number): Promise<number | undefined> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.inner.positionOf(address, version);
  }

  override async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    if (address.tenant === this.#tenant) await this.#twin.stands(address.type, address.id);
    return this.inner.redact(address, redactor, redactedAt);
  }

  override async peek(tenant: string, thread: string): Promise<Peek> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.inner.peek(tenant, thread);
  }

  override async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.inner.acquire(tenant, thread, seen, leasedUntil);
  }

  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    if (lease.tenant === this.#tenant) await this.#twin.moves(lease.thread, update);
    return this.inner.commitCursors(lease, update);
  }

  override async parked(tenant: string, thread: string, options: ParkedOptions): Promise<ParkedPage> {
    if (tenant === this.#tenant) await this.#twin.threads(thread);
    return this.inner.parked(tenant, thread, options);
  }

  override views(tenant: string, collection: string): IViews {
    const views = this.inner.views(tenant, collection);
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

  override async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    if (tenant !== this.#tenant) return this.inner.import(tenant, records);
    const { read, broken } = await collect(records);
    for (const record of read.slice(0, COPIED)) {
      if (record.kind === "commit") await this.#twin.stands(record.commit.type, record.commit.id);
      if (record.kind === "thread") await this.#twin.threads(record.thread);
    }
    return this.inner.import(tenant, replay(read, broken));
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
