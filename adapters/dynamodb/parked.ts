import type { ParkedEvent, ParkedKey, ParkedPage } from "../../core/index.ts";
import type { Item } from "./client.ts";
import { openPageKey, parkedKey, parkedPartition, parkedRange } from "./keys.ts";
import { isReadable, openPageOf } from "./open-page.ts";
import { getItem, takeItems } from "./reads.ts";
import { type Budget, numberIn, textIn } from "./requests.ts";

/** The item of a parked event. */
export function parkedItem(tenant: string, thread: string, parked: ParkedEvent): Item {
  return { ...parkedKey(tenant, thread, parked), ...parked };
}

/** The parked event in an item. Frozen. */
export function parkedOf(item: Item): ParkedEvent {
  return Object.freeze({
    handler: textIn(item, "handler"),
    position: numberIn(item, "position"),
    index: numberIn(item, "index"),
    event: textIn(item, "event"),
    attempts: numberIn(item, "attempts"),
    error: textIn(item, "error"),
    parkedAt: numberIn(item, "parkedAt"),
    ...(item.aggregate !== undefined && { aggregate: Object.freeze(item.aggregate as ParkedEvent["aggregate"] & object) }),
    ...(item.stack !== undefined && { stack: textIn(item, "stack") }),
    ...(item.reason !== undefined && { reason: textIn(item, "reason") }),
    ...(item.generation !== undefined && { generation: numberIn(item, "generation") }),
  });
}

/** One page of a thread's parked events, by handler, position and index. */
export async function parkedPage(
  budget: Budget,
  tenant: string,
  thread: string,
  { handler, after, limit }: { readonly handler?: string; readonly after?: ParkedKey; readonly limit: number },
): Promise<ParkedPage> {
  const range = handler === undefined ? undefined : parkedRange(handler);
  const last = after === undefined ? undefined : parkedKey(tenant, thread, after).sk;
  if (range !== undefined && last !== undefined && last > range.to) return { parked: [] };
  const start = range !== undefined && last !== undefined && last < range.from ? undefined : last;
  const pk = parkedPartition(tenant, thread);
  const [page, { items, hasMore }] = await Promise.all([
    getItem(budget, openPageKey(tenant)),
    takeItems(budget, { pk, ...range }, start, limit),
  ]);
  if (!isReadable(openPageOf(page))) return { parked: [] };
  const parked = items.map(parkedOf);
  const end = parked.at(-1);
  if (!hasMore || end === undefined) return { parked };
  return { parked, next: { handler: end.handler, position: end.position, index: end.index } };
}
