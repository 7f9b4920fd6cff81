import { type ExportRecord, type ParkedEvent, TenantError, type Waiting } from "../../core/index.ts";
import { commitRecord, threadRecords } from "../../core/store-kit.ts";
import { parkedPartition, threadsPartition } from "./keys.ts";
import { isReadable } from "./open-page.ts";
import { type ReaderSetting, readOrder } from "./order-reader.ts";
import { parkedOf } from "./parked.ts";
import { itemsOf } from "./reads.ts";
import { Budget, type Database, textIn } from "./requests.ts";
import { getOpenPage } from "./tenants.ts";
import { threadStateOf } from "./thread-state.ts";

/** Commits in one read of an export. */
const PAGE = 200;
/** How long an export waits before it looks again for a commit in flight, in ms. */
const PAUSE = 50;

/** A tenant's records up to the head at the first step. Waits for the commits in flight before it, at most the grace time. */
export async function* exportTenant(database: Database, setting: ReaderSetting, tenant: string): AsyncGenerator<ExportRecord> {
  const page = await getOpenPage(new Budget(database), tenant);
  if (!isReadable(page)) throw new TenantError(tenant, page?.status ?? "absent");
  const numbers = new DenseNumbers();
  yield { kind: "tenant", format: 1, tenant };
  let waiting: Waiting | undefined;
  for (let after = page.start; after < page.count; ) {
    const limit = Math.min(PAGE, page.count - after);
    const read = await readOrder(new Budget(database), setting, tenant, after, limit, waiting);
    for (const commit of read.commits) {
      if (commit.position > page.count) break;
      yield commitRecord(commit, numbers.add(commit.position));
    }
    if (read.next === after) {
      // Also where the tenant is being erased: then there is nothing to read any more.
      await checkLife(database, tenant, page.life);
      await database.platform.sleep(PAUSE);
    }
    after = read.next;
    waiting = read.waiting;
  }
  yield* threadsOf(database, tenant, numbers);
  await checkLife(database, tenant, page.life);
  yield { kind: "end", commits: numbers.count };
}

/** A tenant that was erased meanwhile, and perhaps filled again, has an export of neither life. */
async function checkLife(database: Database, tenant: string, life: number): Promise<void> {
  const page = await getOpenPage(new Budget(database), tenant);
  if (!isReadable(page) || page.life !== life) throw new TenantError(tenant, page?.status ?? "absent");
}

async function* threadsOf(database: Database, tenant: string, numbers: DenseNumbers): AsyncGenerator<ExportRecord> {
  for await (const item of itemsOf(database, { pk: threadsPartition(tenant) })) {
    const thread = textIn(item, "sk");
    const { cursors } = threadStateOf(item);
    const dense = Object.entries(cursors).map(
      ([handler, cursor]) => [handler, { ...cursor, position: numbers.upTo(cursor.position) }] as const,
    );
    const parked: ParkedEvent[] = [];
    for await (const event of itemsOf(database, { pk: parkedPartition(tenant, thread) })) {
      const found = parkedOf(event);
      if (numbers.has(found.position)) parked.push({ ...found, position: numbers.upTo(found.position) });
    }
    yield* threadRecords(thread, Object.fromEntries(dense), parked, numbers.count);
  }
}

/** The numbers that commits get in an export: dense, from 1. Remembers where the difference to their positions changes, not each one. */
class DenseNumbers {
  readonly #steps: { readonly position: number; readonly number: number }[] = [];
  #last = 0;
  count = 0;

  /** Numbers the commit at the next higher position. */
  add(position: number): number {
    this.count++;
    if (this.count === 1 || position !== this.#last + 1) this.#steps.push({ position, number: this.count });
    this.#last = position;
    return this.count;
  }

  /** How many commits stand at this position or before it. */
  upTo(position: number): number {
    return this.#find(Math.min(position, this.#last)).number;
  }

  /** Whether a commit stands at this position. */
  has(position: number): boolean {
    return position <= this.#last && this.#find(position).isThere;
  }

  #find(position: number): { readonly number: number; readonly isThere: boolean } {
    let [low, high] = [0, this.#steps.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#steps[middle]?.position ?? 0) <= position) low = middle + 1;
      else high = middle;
    }
    const step = this.#steps[low - 1];
    if (step === undefined) return { number: 0, isThere: false };
    // A run of positions without a hole ends before the number at which the following one begins.
    const last = (this.#steps[low]?.number ?? this.count + 1) - 1;
    const number = step.number + position - step.position;
    return { number: Math.min(number, last), isThere: number <= last };
  }
}
