import type { AnyHandler, IEventStore, IViews, JsonObject } from "../core/index.ts";
import { viewsConcerned } from "../core/stream-kit.ts";
import type { Service } from "./composition.ts";
import { MOST_ITEMS } from "./event-stream-pages.ts";

/** How many commits are looked through for changed views, at most: beyond, reading the whole collection is the better bargain. */
const MOST_COMMITS = 1_000;

/** One collection of one tenant. */
export interface Collection {
  readonly store: IEventStore;
  readonly tenant: string;
  readonly name: string;
  readonly projection: AnyHandler;
  readonly upcasters: Service["upcasters"];
}

/** A view, or that it is gone. */
export interface Change {
  readonly id: string;
  readonly value: JsonObject | undefined;
}

/** The ids of the views that may have changed after one position, up to another one (included); undefined where that is too far to look. */
export async function changedBetween(
  collection: Collection,
  after: number,
  upTo: number,
): Promise<readonly string[] | undefined> {
  const { store, tenant, projection, upcasters } = collection;
  const ids = new Set<string>();
  let seen = 0;
  for (let position = after; position < upTo; ) {
    const { commits, next } = await store.read(tenant, position, Math.min(upTo - position, MOST_ITEMS));
    seen += commits.length;
    if (next === position || seen > MOST_COMMITS) return undefined;
    const within = commits.filter((commit) => commit.position <= upTo);
    for (const id of viewsConcerned(projection, upcasters, within)) ids.add(id);
    position = next;
  }
  return [...ids];
}

/** The views with these ids as they are now, a page at a time; `place` is where the live generation is kept. */
export async function* changesOf(
  { store, tenant }: Collection,
  place: string,
  ids: readonly string[],
): AsyncIterable<readonly Change[]> {
  const views = store.views(tenant, place);
  for (let start = 0; start < ids.length; start += MOST_ITEMS) yield changesIn(views, ids.slice(start, start + MOST_ITEMS));
}

/** The views with these ids, in one read. */
export async function changesIn(views: IViews, ids: readonly string[]): Promise<readonly Change[]> {
  const values = await views.get(ids);
  return ids.map((id, index) => ({ id, value: values[index] }));
}
