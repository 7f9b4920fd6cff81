import type { Item } from "./client.ts";
import { type Key, textOfKey } from "./keys.ts";
import { Budget, type Database } from "./requests.ts";

/** The most keys that one batch may ask for. */
const KEYS_PER_BATCH = 100;

/** Which items of a partition to read; the bounds are included. */
export interface Range {
  readonly pk: string;
  readonly from?: string;
  readonly to?: string;
  readonly isDescending?: boolean;
  /** The most items in one page. */
  readonly limit?: number;
  readonly keysOnly?: boolean;
}

/** One page of a range; `next` is where the following one begins. */
export interface Page {
  readonly items: readonly Item[];
  readonly next: Item | undefined;
}

/** Reads one item, strongly consistent. */
export async function getItem(budget: Budget, { pk, sk }: Key): Promise<Item | undefined> {
  const { Item: item, ConsumedCapacity: capacity } = await budget.send(false, (document, options) =>
    document.get(
      { TableName: budget.database.table, Key: { pk, sk }, ConsistentRead: true, ReturnConsumedCapacity: "TOTAL" },
      options,
    ),
  );
  budget.addReads(capacity);
  return item;
}

/** Reads items by key, by `textOfKey`; keys may repeat. Strongly consistent each, but not with one another. */
export async function getItems(budget: Budget, keys: readonly Key[], isConsistent = true): Promise<ReadonlyMap<string, Item>> {
  const distinct = [...new Map(keys.map(({ pk, sk }) => [textOfKey({ pk, sk }), { pk, sk }])).values()];
  const found = new Map<string, Item>();
  const batches: Promise<void>[] = [];
  // The batches have no order among them: each key is read once.
  for (let start = 0; start < distinct.length; start += KEYS_PER_BATCH) {
    batches.push(getBatch(budget, distinct.slice(start, start + KEYS_PER_BATCH), isConsistent, found));
  }
  await Promise.all(batches);
  return found;
}

async function getBatch(budget: Budget, keys: readonly Item[], isConsistent: boolean, found: Map<string, Item>): Promise<void> {
  const { table } = budget.database;
  let left = keys;
  for (let tries = 0; left.length > 0; tries++) {
    const asked = [...left];
    const answer = await budget.send(false, (document, options) =>
      document.batchGet(
        { RequestItems: { [table]: { Keys: asked, ConsistentRead: isConsistent } }, ReturnConsumedCapacity: "TOTAL" },
        options,
      ),
    );
    budget.addReads(answer.ConsumedCapacity);
    for (const item of answer.Responses?.[table] ?? []) found.set(textOfKey(item), item);
    left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    // An answer is full at 16 MB, which is no reason to wait; one that brought nothing is.
    if (left.length === asked.length) await budget.pauseOrThrow(tries);
  }
}

/** Reads one page of a range, strongly consistent. */
export async function getPage(budget: Budget, range: Range, start?: Item): Promise<Page> {
  const { pk, from, to, isDescending = false, limit, keysOnly = false } = range;
  const answer = await budget.send(false, (document, options) =>
    document.query(
      {
        TableName: budget.database.table,
        KeyConditionExpression: `pk = :pk${boundsOf(range)}`,
        ExpressionAttributeValues: {
          ":pk": pk,
          ...(from !== undefined && { ":from": from }),
          ...(to !== undefined && { ":to": to }),
        },
        ConsistentRead: true,
        ScanIndexForward: !isDescending,
        ReturnConsumedCapacity: "TOTAL",
        ...(keysOnly && { ProjectionExpression: "pk, sk" }),
        ...(limit !== undefined && { Limit: limit }),
        ...(start !== undefined && { ExclusiveStartKey: start }),
      },
      options,
    ),
  );
  budget.addReads(answer.ConsumedCapacity);
  return { items: answer.Items ?? [], next: answer.LastEvaluatedKey };
}

/**
 * Reads a range page by page (1 MB each, or `limit` items), to its end or to where the caller stops.
 *
 * A budget ends the whole walk at its deadline. Where a walk takes as long as there are items, or as its consumer does, give the
 * database: then each page has a deadline of its own.
 */
export async function* itemsOf(within: Budget | Database, range: Range): AsyncGenerator<Item> {
  for (let start: Item | undefined, isLast = false; !isLast; ) {
    const budget = within instanceof Budget ? within : new Budget(within);
    const page: Page = await getPage(budget, range, start);
    yield* page.items;
    start = page.next;
    isLast = start === undefined;
  }
}

/** One page of at most `limit` items of a list, and whether there are more behind it. */
export async function takeItems(
  budget: Budget,
  range: Range,
  after: string | undefined,
  limit: number,
): Promise<{ readonly items: readonly Item[]; readonly hasMore: boolean }> {
  const items: Item[] = [];
  // One more than asked tells whether there is more; after a key, that key itself may come first.
  const wanted = limit + 1 + (after === undefined ? 0 : 1);
  const from = after ?? range.from;
  for await (const item of itemsOf(budget, { ...range, ...(from !== undefined && { from }), limit: wanted })) {
    if (item.sk !== after) items.push(item);
    if (items.length > limit) return { items: items.slice(0, limit), hasMore: true };
  }
  return { items, hasMore: false };
}

function boundsOf({ from, to }: Range): string {
  if (from !== undefined && to !== undefined) return " AND sk BETWEEN :from AND :to";
  if (from !== undefined) return " AND sk >= :from";
  return to === undefined ? "" : " AND sk <= :to";
}
