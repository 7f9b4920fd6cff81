import type { Address, Commit, JsonObject, LoadOptions, LoadResult, StoredEvent } from "../../core/index.ts";
import { redacted } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { aggregatePartition, commitKey, commitSort, LAST_COMMIT_SORT, openPageKey, textOfKey, versionOf } from "./keys.ts";
import { isReadable, openPageOf } from "./open-page.ts";
import { isTombstone } from "./order-rules.ts";
import { getItem, getItems, getPage, itemsOf } from "./reads.ts";
import { Budget, type Database, numberIn, textIn } from "./requests.ts";
import { dropSnapshot, snapshotOf } from "./snapshots.ts";
import { commitOf, redactedBody } from "./stored-commit.ts";
import { updateItem } from "./writes.ts";

/** Items in the first page of a load: the snapshot, perhaps a tombstone, and the last commit; so a snapshot of every commit costs one read. */
const FIRST_PAGE = 3;
/** How many commits a redaction rewrites side by side. */
const REWRITES = 16;

/** The items of a load, oldest first. */
interface Loaded {
  readonly snapshot?: Item | undefined;
  readonly commits: readonly Item[];
}

/** Loads an aggregate, and looks at the same time whether its tenant may be read. */
export async function loadAggregate(budget: Budget, address: Address, options: LoadOptions = {}): Promise<LoadResult> {
  const { after, upTo, limit } = options;
  const isPart = after !== undefined || upTo !== undefined;
  for (let tries = 0; ; tries++) {
    const [found, { snapshot: kept, commits: items }] = await Promise.all([
      getItem(budget, openPageKey(address.tenant)),
      isPart
        ? loadPart(budget, address, after ?? -1, upTo, limit).then((commits): Loaded => ({ commits }))
        : loadLatest(budget, address),
    ]);
    const page = openPageOf(found);
    if (!isReadable(page)) return { commits: [], life: "", cost: budget.cost };
    const snapshot = snapshotOf(kept);
    const isOfThisLife = [...items, kept].every((item) => item === undefined || numberIn(item, "position") > page.start);
    // A hole is what an erasure leaves on its way, which the next look at the tenant tells; or damage, which that does not.
    const first = (snapshot?.version ?? after ?? -1) + 1;
    const isWhole = items.every((item, index) => versionOf(textIn(item, "sk")) === first + index);
    if (isOfThisLife && (isWhole || tries > 0)) {
      const commits = Object.freeze((limit === undefined ? items : items.slice(0, limit)).map((item) => commitIn(address, item)));
      return { ...(snapshot !== undefined && { snapshot }), commits, life: String(page.life), cost: budget.cost };
    }
    // Read just before the tenant was erased, and told of its next life: read again.
    await budget.pauseOrThrow(tries);
  }
}

/** The position of a commit; undefined if there is none. One read of two items. */
export async function positionOf(budget: Budget, address: Address, version: number): Promise<number | undefined> {
  const [key, pageKey] = [commitKey(address, version), openPageKey(address.tenant)];
  const found = await getItems(budget, [key, pageKey]);
  const item = found.get(textOfKey(key));
  if (item === undefined || isTombstone(item) || !isReadable(openPageOf(found.get(textOfKey(pageKey))))) return undefined;
  return numberIn(item, "position");
}

/**
 * Rewrites the payloads of an aggregate's commits, then drops its snapshot; nothing is written if the redactor throws.
 *
 * Each commit must still be as it was read: what another redaction rewrote meanwhile is read again.
 */
export async function redactAggregate(
  budget: Budget,
  address: Address,
  redactor: (event: StoredEvent) => JsonObject,
  redactedAt: number,
): Promise<number> {
  for (let tries = 0; ; tries++) {
    if (!isReadable(openPageOf(await getItem(budget, openPageKey(address.tenant))))) return 0;
    const rewritings: Rewriting[] = [];
    for await (const item of itemsOf(budget.database, rangeOf(address, -1, undefined))) {
      const version = versionOf(textIn(item, "sk"));
      if (isTombstone(item) || version === undefined) continue;
      const { events } = redacted(commitOf(address, version, item), redactor, redactedAt);
      const [position, was] = [numberIn(item, "position"), textIn(item, "body")];
      rewritings.push({ version, position, was, body: redactedBody(item, events, redactedAt) });
    }
    if (await rewrite(budget.database, address, rewritings)) {
      const last = rewritings.at(-1)?.position;
      if (last !== undefined) await dropSnapshot(new Budget(budget.database), address, last);
      return rewritings.length;
    }
    await budget.pauseOrThrow(tries);
  }
}

interface Rewriting {
  readonly version: number;
  readonly position: number;
  readonly was: string;
  readonly body: string;
}

/** Whether each commit was as it was read, or is as it shall be. */
async function rewrite(database: Database, address: Address, rewritings: readonly Rewriting[]): Promise<boolean> {
  let isDone = true;
  for (let start = 0; start < rewritings.length && isDone; start += REWRITES) {
    // Each is of another version.
    const outcomes = await Promise.all(
      rewritings.slice(start, start + REWRITES).map(({ version, was, body }) => {
        const update = { expression: "SET #body = :body", values: { ":body": body } };
        const condition = { expression: "#body = :was OR #body = :body", values: { ":was": was, ":body": body } };
        return updateItem(new Budget(database), commitKey(address, version), update, condition);
      }),
    );
    isDone = outcomes.every((outcome) => outcome.isDone);
  }
  return isDone;
}

async function loadPart(
  budget: Budget,
  address: Address,
  after: number,
  upTo: number | undefined,
  limit: number | undefined,
): Promise<readonly Item[]> {
  if (upTo !== undefined && upTo <= after) return [];
  const commits: Item[] = [];
  for await (const item of itemsOf(budget, { ...rangeOf(address, after, upTo), ...(limit !== undefined && { limit }) })) {
    if (!isTombstone(item)) commits.push(item);
    if (commits.length === limit) break;
  }
  return commits;
}

/** Reads from the end, where the snapshot sorts behind the last commits; what lies between them is read afterwards, from its start. */
async function loadLatest(budget: Budget, address: Address): Promise<Loaded> {
  const pk = aggregatePartition(address);
  const { items, next } = await getPage(budget, { pk, isDescending: true, limit: FIRST_PAGE });
  const snapshot = items.find((item) => versionOf(textIn(item, "sk")) === undefined && snapshotOf(item) !== undefined);
  const first = (snapshotOf(snapshot)?.version ?? -1) + 1;
  const tail = items.filter((item) => !isTombstone(item) && (versionOf(textIn(item, "sk")) ?? -1) >= first);
  tail.reverse();
  const lowest = Math.min(...items.map((item) => versionOf(textIn(item, "sk")) ?? Infinity));
  const isWhole = next === undefined || lowest <= first;
  const between = isWhole ? [] : await loadPart(budget, address, first - 1, lowest - 1, undefined);
  return { snapshot, commits: [...between, ...tail] };
}

function rangeOf(address: Address, after: number, upTo: number | undefined) {
  return {
    pk: aggregatePartition(address),
    from: commitSort(after + 1),
    to: upTo === undefined ? LAST_COMMIT_SORT : commitSort(upTo),
  };
}

function commitIn(address: Address, item: Item): Commit {
  return commitOf(address, versionOf(textIn(item, "sk")) ?? -1, item);
}
