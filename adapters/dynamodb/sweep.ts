import type { Address } from "../../core/index.ts";
import type { Item } from "./client.ts";
import {
  commitKey,
  firstOfPage,
  type Key,
  openPageKey,
  ownersPartition,
  pageKey,
  parkedPartition,
  parseRef,
  type Ref,
  receiptKey,
  snapshotKey,
  textOfKey,
  threadKey,
  threadsPartition,
  viewsPartition,
} from "./keys.ts";
import { type OpenPage, PAGE_SIZE, stillAs } from "./open-page.ts";
import { getItem, getItems, itemsOf } from "./reads.ts";
import { Budget, type Database, type Expression, numberIn, textIn } from "./requests.ts";
import { tracesOf } from "./stored-commit.ts";
import { CLOSED } from "./thread-state.ts";
import { Parts, transact, updateItem } from "./writes.ts";

/** How long what is left of an erased commit stays, in s: a key without content, which no late write gets past. */
const TOMBSTONE_LIFE = 24 * 60 * 60;
/** Changes in one transaction, beside the check of the tenant: it takes 100 items. */
const CHANGES = 99;

/** A commit tells what it left elsewhere: one that has landed since it was looked for must be looked at. */
const NO_COMMIT: Expression = { expression: "attribute_not_exists(#commitId)" };

/** An item that takes the place of what is there, if that is as it was found; or a key whose item goes. */
type Change = { readonly put: Item; readonly condition?: Expression | undefined } | { readonly gone: Key };

/**
 * Removes everything of a tenant whose log is closed; repeatable, and goes on where it broke off.
 *
 * First nobody can move a thread any more; then the commits go, page by page, each page with what it names, then what hangs on threads.
 * Commits and pages are not deleted but replaced by a tombstone that voids all positions of this life, and that the table's TTL removes
 * after a day: deleting costs the same, but a write that is still on its way would bring them back.
 *
 * Each write checks that the tenant still is as it was closed. So two may sweep at once, and where one of them has finished and the name
 * lives again, the other ends here without having touched the new life.
 */
export async function sweep(database: Database, tenant: string, closed: OpenPage): Promise<void> {
  try {
    await new Sweep(database, tenant, closed).run();
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
  }
}

/** Another has swept the tenant. */
class Overtaken extends Error {}

class Sweep {
  readonly #database: Database;
  readonly #tenant: string;
  readonly #closed: OpenPage;
  /** What was ever seen, for what hangs on it may appear when it is gone. */
  readonly #collections = new Set<string>();
  readonly #threads = new Set<string>();
  #highest: number;

  constructor(database: Database, tenant: string, closed: OpenPage) {
    this.#database = database;
    this.#tenant = tenant;
    this.#closed = closed;
    this.#highest = closed.firstFence;
  }

  async run(): Promise<void> {
    await this.#closeThreads();
    const last = await this.#sweepPages();
    await this.#sweepRefs(this.#closed.refs, last, this.#closed.base + 1);
    // The parts of a reader's last transaction appear one by one, the thread's perhaps first: looked for last, and until nothing is found.
    while (await this.#sweepReading()) {}
    await this.#amend({
      expression:
        "SET #isSwept = :true, #base = :last, #count = :last, #start = :last, #refs = :none, #firstFence = :fence, #life = :life",
      values: { ":true": true, ":last": last, ":none": [], ":fence": this.#highest, ":life": this.#closed.life + 1 },
    });
  }

  /** Fences every holder out and keeps the highest fence that was ever given, plus one. */
  async #closeThreads(): Promise<void> {
    for await (const { sk } of itemsOf(this.#database, { pk: threadsPartition(this.#tenant), keysOnly: true })) {
      const key = threadKey(this.#tenant, String(sk));
      const budget = new Budget(this.#database);
      const closing = this.#parts(budget).update(
        key,
        { expression: "SET #revision = :closed ADD #fence :one", values: { ":closed": CLOSED, ":one": 1 } },
        { expression: "attribute_exists(pk)" },
      );
      await this.#write(budget, closing);
      const thread = await getItem(budget, key);
      if (thread !== undefined) this.#highest = Math.max(this.#highest, numberIn(thread, "fence"));
    }
    // Kept at once: the threads, which tell it, are gone if the sweep breaks off later.
    await this.#amend({ expression: "SET #firstFence = :fence", values: { ":fence": this.#highest } }, "#firstFence < :fence");
  }

  /** Removes what hangs on threads, and the threads; whether there was anything. */
  async #sweepReading(): Promise<boolean> {
    const [owners, threads] = [ownersPartition(this.#tenant), threadsPartition(this.#tenant)];
    for await (const { sk } of itemsOf(this.#database, { pk: owners, keysOnly: true })) this.#collections.add(String(sk));
    for await (const thread of itemsOf(this.#database, { pk: threads })) {
      this.#threads.add(textIn(thread, "sk"));
      // One that was being made when the others were closed: whoever leased it finds it gone, and its fence is not given again.
      this.#highest = Math.max(this.#highest, numberIn(thread, "fence"));
    }
    let found = 0;
    for (const collection of this.#collections) found += await this.#empty(viewsPartition(this.#tenant, collection));
    for (const thread of this.#threads) found += await this.#empty(parkedPartition(this.#tenant, thread));
    // Last, for they tell the places of the rest.
    return (await this.#empty(owners)) + (await this.#empty(threads)) + found > 0;
  }

  /** Sweeps the full pages, oldest first, and gives the last position of this life. */
  async #sweepPages(): Promise<number> {
    const { pk } = openPageKey(this.#tenant);
    const range = { pk, from: pageKey(this.#tenant, 0).sk, to: pageKey(this.#tenant, Number.MAX_SAFE_INTEGER).sk };
    let last = this.#closed.count;
    // An import that broke off has written pages beyond the count: they are counted before any is swept.
    for await (const page of itemsOf(this.#database, { ...range, isDescending: true, limit: 1, keysOnly: true })) {
      last = Math.max(last, firstOfPage(textIn(page, "sk")) + PAGE_SIZE - 1);
      break;
    }
    await this.#amend({ expression: "SET #count = :last", values: { ":last": last } }, "#count < :last");
    for await (const page of itemsOf(this.#database, range)) {
      const { refs = [], sk } = page as { readonly refs?: readonly string[]; readonly sk: string };
      await this.#sweepRefs(refs, last, firstOfPage(sk));
    }
    return last;
  }

  /** Sweeps what refs name, and their full pages, those included that a writer may be about to put. */
  async #sweepRefs(refs: readonly string[], last: number, first: number): Promise<void> {
    for (let start = 0; start < refs.length; start += PAGE_SIZE) {
      const some = refs.slice(start, start + PAGE_SIZE);
      const pages = some.length < PAGE_SIZE ? [] : [pageKey(this.#tenant, first + start)];
      const full = pages.map((key) => this.#voided(key, last));
      while (!(await this.#change([...(await this.#changesOf(some.map(parseRef), last)), ...full]))) {}
    }
  }

  /**
   * What voids refs, whether they came to be or not; and what was kept beside: receipts, snapshots, tombstones of the next versions.
   * The commits come last, because they alone tell of the rest.
   */
  async #changesOf(refs: readonly Ref[], last: number): Promise<readonly Change[]> {
    const budget = new Budget(this.#database);
    const voided = refs.map((ref) => commitKey(this.#address(ref), ref.version));
    const beside = refs.flatMap((ref) => [snapshotKey(this.#address(ref)), commitKey(this.#address(ref), ref.version + 1)]);
    const found = await getItems(budget, [...voided, ...beside]);
    const landed = refs.flatMap((ref) => {
      const item = found.get(textOfKey(commitKey(this.#address(ref), ref.version)));
      return item === undefined || !isCommit(item) ? [] : [{ ref, item }];
    });
    const traces = landed.map(({ item }) => tracesOf(item));
    const isLanded = new Set(landed.map(({ ref }) => textOfKey(commitKey(this.#address(ref), ref.version))));
    // Also where there is none: it may be on its way.
    const snapshots = landed.map(({ ref }) => snapshotKey(this.#address(ref)));
    const raised = traces.flatMap((trace) => trace.raised.map((address) => commitKey(this.#address(address), 0)));
    const raisedItems = await getItems(budget, raised);
    // A commit that is found there has a ref of its own, which must find it.
    const left = [...beside, ...raised].filter((key) => {
      const item = found.get(textOfKey(key)) ?? raisedItems.get(textOfKey(key));
      return item !== undefined && !isCommit(item);
    });
    const receipts = traces.flatMap(({ commandId }) => (commandId === undefined ? [] : [receiptKey(this.#tenant, commandId)]));
    const changes: Change[] = [
      ...receipts.map((gone) => ({ gone })),
      ...[...left, ...snapshots, ...voided].map((key) =>
        this.#voided(key, last, isLanded.has(textOfKey(key)) ? undefined : NO_COMMIT),
      ),
    ];
    // Each item once.
    return [...new Map(changes.map((change) => [textOfKey("put" in change ? change.put : change.gone), change])).values()];
  }

  #voided(key: Key, last: number, condition?: Expression): Change {
    const expires = Math.ceil(this.#database.platform.now() / 1_000) + TOMBSTONE_LIFE;
    return { put: { ...key, sealed: last, expires }, condition };
  }

  /** Removes the items of a partition; how many. */
  async #empty(pk: string): Promise<number> {
    let [batch, count]: [Change[], number] = [[], 0];
    for await (const item of itemsOf(this.#database, { pk, keysOnly: true })) {
      count++;
      batch.push({ gone: keyOf(item) });
      if (batch.length < CHANGES) continue;
      await this.#change(batch);
      batch = [];
    }
    await this.#change(batch);
    return count;
  }

  /** Whether everything was as it was found; else what comes first is changed. */
  async #change(changes: readonly Change[]): Promise<boolean> {
    for (let start = 0; start < changes.length; start += CHANGES) {
      const budget = new Budget(this.#database);
      const parts = this.#parts(budget);
      for (const change of changes.slice(start, start + CHANGES)) {
        if ("put" in change) parts.put(change.put, change.condition);
        else parts.delete(change.gone);
      }
      if (!(await this.#write(budget, parts))) return false;
    }
    return true;
  }

  /** A transaction that begins with the check of the tenant. */
  #parts(budget: Budget): Parts {
    return new Parts(budget).check(openPageKey(this.#tenant), stillAs(this.#closed));
  }

  async #write(budget: Budget, parts: Parts): Promise<boolean> {
    const outcome = await transact(budget, parts.items, this.#database.platform.newId());
    if (!outcome.isDone && outcome.reasons[0]?.code === "ConditionalCheckFailed") throw new Overtaken();
    return outcome.isDone;
  }

  /** Changes what the open page says, if the tenant is as it was closed and the condition holds. */
  async #amend(update: Expression, condition?: string): Promise<void> {
    const { expression, values } = stillAs(this.#closed);
    const whole = condition === undefined ? expression : `${condition} AND ${expression}`;
    await updateItem(new Budget(this.#database), openPageKey(this.#tenant), update, {
      expression: whole,
      ...(values && { values }),
    });
  }

  #address({ type, id }: Pick<Address, "type" | "id">): Address {
    return { tenant: this.#tenant, type, id };
  }
}

function isCommit(item: Item): boolean {
  return typeof item.commitId === "string";
}

function keyOf(item: Item): Key {
  return { pk: textIn(item, "pk"), sk: textIn(item, "sk") };
}
