import { type Commit, type ExportRecord, TenantError, ValidationError } from "../../core/index.ts";
import { ImportOrder, importedCursor } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { commitKey, openPageKey, pageKey, refText, textOfKey } from "./keys.ts";
import { isReadable, type OpenPage, PAGE_SIZE, stillAs } from "./open-page.ts";
import { isTombstone, ORDER_RULES } from "./order-rules.ts";
import { parkedItem } from "./parked.ts";
import { getItem, getItems } from "./reads.ts";
import { encodeReceipt } from "./receipts.ts";
import { Budget, type Database } from "./requests.ts";
import { importedItem } from "./stored-commit.ts";
import { sweep } from "./sweep.ts";
import { amend, getOpenPage, move } from "./tenants.ts";
import { freeThread, threadItem } from "./thread-state.ts";
import { Parts, putItem, transact } from "./writes.ts";

type CommitRecord = Extract<ExportRecord, { kind: "commit" }>;

/** Fills a tenant that is absent or erased, or whose import broke off, and opens it at the end. */
export async function importTenant(database: Database, tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
  const filling = new Filling(database, tenant, await begin(database, tenant));
  const order = new ImportOrder();
  for await (const record of records) await filling.take(order.accept(record));
  order.finish();
  await filling.finish();
}

/** Makes the tenant this import's own and empty. Whoever imported before is void: it can add no page any more. */
async function begin(database: Database, tenant: string): Promise<OpenPage> {
  const importId = database.platform.newId();
  for (let tries = 0; ; tries++) {
    const budget = new Budget(database);
    const page = await getOpenPage(budget, tenant);
    if (isReadable(page)) throw TenantError.inUse(tenant, page.status);
    const isClean = page === undefined || (page.status === "erased" && page.isSwept);
    if (page?.status === "importing" && page.importId === importId) {
      if (page.isSwept) return page;
      await sweep(database, tenant, page);
    } else if (page?.status === "erased" && !page.isSwept) await sweep(database, tenant, page);
    else if (!(await move(budget, tenant, page, { status: "importing", importId, isSwept: isClean })))
      await budget.pauseOrThrow(tries);
  }
}

/** Writes the records of an import: like a ticket, a page comes before the commits that it names, so that a sweep finds them all. */
class Filling {
  readonly #database: Database;
  readonly #tenant: string;
  readonly #page: OpenPage;
  readonly #threads = new Set<string>();
  #gathered: CommitRecord[] = [];
  #base: number;
  #refs: readonly string[] = [];

  constructor(database: Database, tenant: string, page: OpenPage) {
    this.#database = database;
    this.#tenant = tenant;
    this.#page = page;
    this.#base = page.count;
  }

  async take(record: ExportRecord): Promise<void> {
    if (record.kind === "commit") {
      this.#gathered.push(record);
      if (this.#gathered.length === PAGE_SIZE) await this.#writePage();
    } else if (record.kind === "thread") {
      const cursors = Object.entries(record.cursors).map(([handler, position]) => [
        handler,
        importedCursor(this.#placeOf(position)),
      ]);
      await this.#writeThread(record.thread, Object.fromEntries(cursors));
    } else if (record.kind === "parked") {
      const { thread, parked } = record;
      if (!this.#threads.has(thread)) await this.#writeThread(thread, {});
      await this.#writeGuarded([parkedItem(this.#tenant, thread, { ...parked, position: this.#placeOf(parked.position) })]);
    }
  }

  /** Writes what is gathered and opens the tenant. */
  async finish(): Promise<void> {
    if (this.#gathered.length > 0) await this.#writeLastPage();
    const [base, count] = [this.#base, this.#base + this.#refs.length];
    const budget = new Budget(this.#database);
    for (let tries = 0; ; tries++) {
      if (await move(budget, this.#tenant, this.#page, { status: "open", base, count, refs: this.#refs })) return;
      const page = await getOpenPage(budget, this.#tenant);
      const isOurs = page?.importId === this.#page.importId;
      if (isOurs && page.status === "open") return;
      if (!isOurs || page.status !== "importing") throw new TenantError(this.#tenant, page?.status ?? "absent");
      await budget.pauseOrThrow(tries);
    }
  }

  /** An export's position 0 is the start, wherever the tenant's positions begin. */
  #placeOf(position: number): number {
    return position === 0 ? 0 : this.#page.count + position;
  }

  async #writePage(): Promise<void> {
    const records = this.#gathered;
    this.#gathered = [];
    await this.#writeGuarded([{ ...pageKey(this.#tenant, this.#base + 1), refs: records.map(refOf) }]);
    await this.#writeCommits(records, this.#base);
    this.#base += records.length;
  }

  async #writeLastPage(): Promise<void> {
    const records = this.#gathered;
    this.#gathered = [];
    this.#refs = records.map(refOf);
    await amend(new Budget(this.#database), this.#tenant, this.#page, {
      refs: this.#refs,
      base: this.#base,
      count: this.#base + records.length,
    });
    await this.#writeCommits(records, this.#base);
  }

  async #writeCommits(records: readonly CommitRecord[], base: number): Promise<void> {
    await this.#checkVersions(records);
    // They have their positions already, and the first to refuse ends the import.
    await Promise.all(records.map((record, index) => this.#writeCommit(record, base + index + 1)));
  }

  /** A receipt goes with its commit, so that it cannot come after the sweep of an import whose place another one took. */
  async #writeCommit({ commit, position: number }: CommitRecord, position: number): Promise<void> {
    const budget = new Budget(this.#database);
    const item = importedItem(this.#tenant, commit, position);
    const { receipt, commitId, version } = commit;
    if (receipt === undefined) {
      const written = await putItem(budget, item, ORDER_RULES.write(position));
      if (!written.isDone) await this.#checkOwn(written.found, position, number, `repeats version ${version}`);
      return;
    }
    const kept = encodeReceipt(this.#tenant, receipt, commitId, this.#database.platform.now());
    const parts = new Parts(budget)
      .put(item, ORDER_RULES.write(position))
      .put({ ...kept, position }, { expression: "attribute_not_exists(pk)" });
    const written = await transact(budget, parts.items, this.#database.platform.newId());
    if (written.isDone) return;
    const [refused, repeated] = written.reasons;
    const hasCommit = refused?.code === "ConditionalCheckFailed";
    const what = hasCommit ? `repeats version ${version}` : `repeats the commandId ${receipt.commandId}`;
    await this.#checkOwn(hasCommit ? refused.item : repeated?.item, position, number, what);
  }

  /** What refused a write is our own of a moment ago, or it is refused for good. */
  async #checkOwn(found: Item | undefined, position: number, number: number, what: string): Promise<void> {
    if (found?.position === position) return;
    if (found === undefined || !isTombstone(found)) refuse(number, what);
    throw new TenantError(this.#tenant, (await getOpenPage(new Budget(this.#database), this.#tenant))?.status ?? "absent");
  }

  /** Each version follows one that is in the same page, or in the table. */
  async #checkVersions(records: readonly CommitRecord[]): Promise<void> {
    const seen = new Set<string>();
    const before = new Map<string, CommitRecord>();
    for (const record of records) {
      const { type, id, version } = record.commit;
      const address = { tenant: this.#tenant, type, id };
      seen.add(textOfKey(commitKey(address, version)));
      if (version === 0) continue;
      const key = commitKey(address, version - 1);
      if (!seen.has(textOfKey(key))) before.set(textOfKey(key), record);
    }
    const keys = Array.from(before.values(), ({ commit: { type, id, version } }) =>
      commitKey({ tenant: this.#tenant, type, id }, version - 1),
    );
    const found = await getItems(new Budget(this.#database), keys);
    for (const [text, { position, commit }] of before) {
      const item = found.get(text);
      if (item === undefined || isTombstone(item))
        refuse(position, `has version ${commit.version}, whose predecessor is missing`);
    }
  }

  async #writeThread(thread: string, cursors: Readonly<Record<string, { readonly position: number }>>): Promise<void> {
    this.#threads.add(thread);
    const revision = this.#database.platform.newId();
    await this.#writeGuarded([threadItem(this.#tenant, thread, { ...freeThread(this.#page.firstFence), cursors, revision })]);
  }

  /** Puts items as long as the tenant is still this import's. */
  async #writeGuarded(items: readonly Item[]): Promise<void> {
    const budget = new Budget(this.#database);
    const parts = new Parts(budget).check(openPageKey(this.#tenant), stillAs(this.#page));
    for (const item of items) parts.put(item);
    const { isDone } = await transact(budget, parts.items, this.#database.platform.newId());
    if (isDone) return;
    const page = await getItem(budget, openPageKey(this.#tenant));
    throw new TenantError(this.#tenant, (page?.status as OpenPage["status"] | undefined) ?? "absent");
  }
}

function refOf({ commit: { type, id, version, commitId } }: { readonly commit: Omit<Commit, "tenant"> }): string {
  return refText({ commitId, type, id, version });
}

function refuse(position: number, what: string): never {
  throw new ValidationError(`commit ${position}`, `${what}: export the tenant again`);
}
