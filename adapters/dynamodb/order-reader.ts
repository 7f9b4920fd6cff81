import { type PositionedCommit, type ReadResult, StoreError, type Waiting } from "../../core/index.ts";
import type { Item } from "./client.ts";
import { commitKey, firstOfPage, openPageKey, pageKey, parseRef, type Ref, textOfKey } from "./keys.ts";
import { isReadable, type OpenPage, openPageOf, PAGE_SIZE } from "./open-page.ts";
import type { OrderRules, Verdict } from "./order-rules.ts";
import { getItem, getItems, itemsOf } from "./reads.ts";
import { type Budget, textIn } from "./requests.ts";
import { positionedCommitOf } from "./stored-commit.ts";
import { putItem } from "./writes.ts";

/** How many refs are looked up at a time. */
const WINDOW = 100;

/** A ref and its place in the order. */
interface Place {
  readonly position: number;
  readonly ref: Ref;
}

interface Judged extends Place {
  readonly item: Item | undefined;
  readonly verdict: Verdict;
}

/** What reading an order works with. */
export interface ReaderSetting {
  readonly rules: OrderRules;
  readonly graceMs: number;
  readonly now: () => number;
}

/**
 * Reads a tenant's order after a position. Stops at the first ref that is in flight, and after the grace time seals it instead.
 *
 * `waiting.position` is the end of the order when `waiting.since` began: all refs up to it are missing for at least as long, so what many
 * dead writers left is sealed after one grace time, not after one each.
 */
export async function readOrder(
  budget: Budget,
  { rules, graceMs, now }: ReaderSetting,
  tenant: string,
  after: number,
  limit: number,
  waiting: Waiting | undefined,
): Promise<ReadResult> {
  const page = openPageOf(await getItem(budget, openPageKey(tenant)));
  if (!isReadable(page)) return { commits: [], next: after };
  const commits: PositionedCommit[] = [];
  let next = Math.max(after, page.start);
  const since = now();
  while (next < page.count && commits.length < limit) {
    const places = await placesAfter(budget, tenant, page, next, Math.min(WINDOW, limit - commits.length));
    checkDense(places, next);
    let judged = await look(budget, rules, tenant, places);
    const missing = judged.filter(({ verdict, position }) => verdict === "in flight" && position <= (waiting?.position ?? 0));
    if (missing.length > 0 && waiting !== undefined && rules.maySeal(since - waiting.since, graceMs)) {
      await seal(budget, rules, tenant, missing);
      judged = await look(budget, rules, tenant, places);
    }
    for (const { verdict, position, ref, item } of judged) {
      if (verdict === "in flight") {
        const isKnown = waiting !== undefined && position <= waiting.position;
        return { commits: Object.freeze(commits), next, waiting: isKnown ? waiting : { position: page.count, since } };
      }
      if (verdict === "deliver") {
        commits.push(positionedCommitOf({ tenant, type: ref.type, id: ref.id }, ref.version, item as Item));
      }
      next = position;
    }
  }
  return { commits: Object.freeze(commits), next };
}

/** The refs at the positions after one, at most `most` of them, oldest first. */
async function placesAfter(
  budget: Budget,
  tenant: string,
  page: OpenPage,
  after: number,
  most: number,
): Promise<readonly Place[]> {
  const places: Place[] = [];
  const add = (first: number, refs: readonly string[]) => {
    for (const [index, text] of refs.entries()) {
      const position = first + index;
      if (position > after && position <= page.count && places.length < most) places.push({ position, ref: parseRef(text) });
    }
  };
  if (after < page.base) {
    // A page may begin before the position and reach beyond it.
    const from = pageKey(tenant, Math.max(page.start + 1, after + 2 - PAGE_SIZE));
    const to = pageKey(tenant, page.base);
    const limit = Math.ceil(most / PAGE_SIZE) + 1;
    for await (const item of itemsOf(budget, { pk: from.pk, from: from.sk, to: to.sk, limit })) {
      add(firstOfPage(textIn(item, "sk")), item.refs as readonly string[]);
      if (places.length >= most) return places;
    }
  }
  add(page.base + 1, page.refs);
  return places;
}

/** Positions have no holes; one here means that the pages are being erased, or that somebody else deleted one. */
function checkDense(places: readonly Place[], after: number): void {
  if (places.length > 0 && places.every(({ position }, index) => position === after + 1 + index)) return;
  throw new StoreError(`the order has no page for position ${after + 1}: read again, or restore the table`, { retryable: true });
}

async function look(budget: Budget, rules: OrderRules, tenant: string, places: readonly Place[]): Promise<readonly Judged[]> {
  const keys = places.map(({ ref }) => commitKey({ tenant, type: ref.type, id: ref.id }, ref.version));
  const found = await getItems(budget, keys);
  return places.map((place, index) => {
    const item = found.get(textOfKey(keys[index] as (typeof keys)[number]));
    return { ...place, item, verdict: rules.judge(item, place.ref, place.position) };
  });
}

/** Voids refs unless their commits come first; what became of them is read afterwards. */
async function seal(budget: Budget, rules: OrderRules, tenant: string, missing: readonly Judged[]): Promise<void> {
  const highest = new Map<string, Place>();
  // Of two tickets for one commit the later voids the earlier too.
  for (const { ref, position } of missing) highest.set(`${ref.version}/${ref.type}/${ref.id}`, { ref, position });
  // Each is of another item.
  await Promise.all(
    Array.from(highest.values(), ({ ref: { type, id, version }, position }) =>
      putItem(budget, { ...commitKey({ tenant, type, id }, version), sealed: position }, rules.seal(position)),
    ),
  );
}
