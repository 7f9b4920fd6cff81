import type { Address } from "../../core/index.ts";
import type { BatchWriteItem, Item } from "./client.ts";
import {
  commitKey,
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
import { type OpenPage, PAGE_SIZE } from "./open-page.ts";
import { isTombstone } from "./order-rules.ts";
import { getItems, itemsOf } from "./reads.ts";
import { Budget, type Database, numberIn, textIn } from "./requests.ts";
import { tracesOf } from "./stored-commit.ts";
import { CLOSED } from "./thread-state.ts";
import { deleteItem, updateItem, writeItems } from "./writes.ts";

/** How long what is left of an erased commit stays, in s: a key without content, which no late write gets past. */
const TOMBSTONE_LIFE = 24 * 60 * 60;

/**
 * Removes everything of a tenant whose log is closed; repeatable, and goes on where it broke off.
 *
 * First nobody can move a thread any more; then what hangs on threads goes, then the commits, page by page, each page after what it names.
 * A commit is not deleted but replaced by a tombstone that voids all positions of this life, and that the table's TTL removes after a day:
 * deleting costs the same, but a write that is still on its way would bring it back.
 */
export async function sweep(database: Database, tenant: string, closed: OpenPage): Promise<void> {
  const firstFence = await closeThreads(database, tenant, closed.firstFence);
  await sweepViews(database, tenant);
  await sweepThreads(database, tenant);
  const last = await sweepPages(database, tenant, closed.count);
  await sweepRefs(database, tenant, closed.refs.map(parseRef), last);
  const budget = new Budget(database);
  await updateItem(
    budget,
    openPageKey(tenant),
    {
      expression:
        "SET #isSwept = :true, #base = :last, #count = :last, #start = :last, #refs = :none, #firstFence = :fence, #life = :life",
      values: { ":true": true, ":last": last, ":none": [], ":fence": firstFence, ":life": closed.life + 1 },
    },
    {
      expression: "#status = :status AND #importId = :importId",
      values: { ":status": closed.status, ":importId": closed.importId },
    },
  );
}

/** Fences every holder out and gives the highest fence that was ever given, plus one. */
async function closeThreads(database: Database, tenant: string, firstFence: number): Promise<number> {
  let highest = firstFence;
  for await (const { sk } of itemsOf(new Budget(database), { pk: threadsPartition(tenant), keysOnly: true })) {
    const outcome = await updateItem(
      new Budget(database),
      threadKey(tenant, String(sk)),
      { expression: "SET #revision = :closed ADD #fence :one", values: { ":closed": CLOSED, ":one": 1 } },
      { expression: "attribute_exists(pk)" },
      "ALL_NEW",
    );
    if (outcome.isDone) highest = Math.max(highest, numberIn(outcome.attributes as Item, "fence"));
  }
  // Kept at once: the threads, which tell it, are gone if the sweep breaks off later.
  await updateItem(
    new Budget(database),
    openPageKey(tenant),
    { expression: "SET #firstFence = :fence", values: { ":fence": highest } },
    { expression: "#firstFence < :fence", values: { ":fence": highest } },
  );
  return highest;
}

async function sweepViews(database: Database, tenant: string): Promise<void> {
  for await (const owner of itemsOf(new Budget(database), { pk: ownersPartition(tenant), keysOnly: true })) {
    await deletePartition(database, viewsPartition(tenant, textIn(owner, "sk")));
    await deleteItem(new Budget(database), keyOf(owner));
  }
}

async function sweepThreads(database: Database, tenant: string): Promise<void> {
  for await (const thread of itemsOf(new Budget(database), { pk: threadsPartition(tenant), keysOnly: true })) {
    await deletePartition(database, parkedPartition(tenant, textIn(thread, "sk")));
    await deleteItem(new Budget(database), keyOf(thread));
  }
}

/** Sweeps the full pages, oldest first, and gives the last position of this life. */
async function sweepPages(database: Database, tenant: string, count: number): Promise<number> {
  const { pk } = openPageKey(tenant);
  const range = { pk, from: pageKey(tenant, 0).sk, to: pageKey(tenant, Number.MAX_SAFE_INTEGER).sk };
  let last = count;
  // An import that broke off has written pages beyond the count: they are counted before any is swept.
  for await (const page of itemsOf(new Budget(database), { ...range, isDescending: true, limit: 1, keysOnly: true })) {
    last = Math.max(last, Number(textIn(page, "sk").slice("page#".length)) + PAGE_SIZE - 1);
    break;
  }
  await updateItem(
    new Budget(database),
    openPageKey(tenant),
    { expression: "SET #count = :last", values: { ":last": last } },
    { expression: "#count < :last", values: { ":last": last } },
  );
  for await (const page of itemsOf(new Budget(database), range)) {
    await sweepRefs(database, tenant, (page.refs as readonly string[]).map(parseRef), last);
    await deleteItem(new Budget(database), keyOf(page));
  }
  return last;
}

async function sweepRefs(database: Database, tenant: string, refs: readonly Ref[], last: number): Promise<void> {
  for (let start = 0; start < refs.length; start += PAGE_SIZE) {
    await sweepSome(database, tenant, refs.slice(start, start + PAGE_SIZE), last);
  }
}

/** Voids what refs name, whether it came to be or not; and what was kept beside: receipts, snapshots, tombstones of the next versions. */
async function sweepSome(database: Database, tenant: string, refs: readonly Ref[], last: number): Promise<void> {
  const budget = new Budget(database);
  const expires = Math.ceil(database.platform.now() / 1_000) + TOMBSTONE_LIFE;
  const voided = refs.map((ref) => commitKey(addressOf(tenant, ref), ref.version));
  const beside = refs.flatMap((ref) => {
    const address = addressOf(tenant, ref);
    return [snapshotKey(address), commitKey(address, ref.version + 1)];
  });
  const found = await getItems(budget, [...voided, ...beside]);
  const deleted: Key[] = [];
  const left = [...voided, ...beside.filter((key) => found.has(textOfKey(key)))];
  for (const key of voided) {
    const item = found.get(textOfKey(key));
    if (item === undefined || isTombstone(item)) continue;
    const { commandId, raised } = tracesOf(item);
    if (commandId !== undefined) deleted.push(receiptKey(tenant, commandId));
    for (const { type, id } of raised) left.push(commitKey({ tenant, type, id }, 0));
  }
  const tombstones = new Map(left.map((key) => [textOfKey(key), { PutRequest: { Item: { ...key, sealed: last, expires } } }]));
  const receipts = new Map(deleted.map((Key) => [textOfKey(Key), { DeleteRequest: { Key } }]));
  await writeItems(budget, [...tombstones.values(), ...receipts.values()]);
}

function addressOf(tenant: string, { type, id }: Ref): Address {
  return { tenant, type, id };
}

async function deletePartition(database: Database, pk: string): Promise<void> {
  let batch: BatchWriteItem[] = [];
  for await (const item of itemsOf(new Budget(database), { pk, keysOnly: true })) {
    batch.push({ DeleteRequest: { Key: keyOf(item) } });
    if (batch.length === 25) {
      await writeItems(new Budget(database), batch);
      batch = [];
    }
  }
  await writeItems(new Budget(database), batch);
}

function keyOf(item: Item): Key & Item {
  return { pk: textIn(item, "pk"), sk: textIn(item, "sk") };
}
