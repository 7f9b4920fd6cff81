import { checkInteger } from "../model/arguments.ts";
import { canonicalJson, type JsonObject } from "../model/json.ts";
import type { Signal } from "../ports/platform.ts";
import type { IViews } from "../ports/views.ts";
import { placeOf } from "./generation.ts";
import { lookAtLive, otherOf, type Site, sideCursor } from "./other-generation.ts";

export { siteOf } from "./other-generation.ts";

/** Settings of a comparison. */
export interface DiffOptions {
  /** How many views of each kind are shown; 0 to 100, default 10. */
  readonly samples?: number;
  readonly signal?: Signal;
}

/** One view that differs between the live generation and the other. */
export interface ViewDifference {
  readonly id: string;
  readonly live?: JsonObject;
  readonly next?: JsonObject;
}

/** How the generation that is not live differs from the live one. */
export interface Difference {
  /** The position up to which each is complete: only if they are equal, every difference comes from the new version. */
  readonly positions: { readonly live: number; readonly next: number };
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  readonly same: number;
  readonly samples: {
    readonly added: readonly ViewDifference[];
    readonly removed: readonly ViewDifference[];
    readonly changed: readonly ViewDifference[];
  };
}

/** How many views are compared at once: as many as one read of views takes. */
const PAGE = 100;

/**
 * Compares all views of both generations, page by page: each page of one with the same ids of the other, so that nothing hangs on how
 * a store sorts ids. Cost: every view is read twice.
 */
export async function diff(site: Site, { samples = 10, signal }: DiffOptions): Promise<Difference> {
  checkInteger(samples, "samples", 0, 100);
  const { store, tenant, thread } = site.side;
  const live = await lookAtLive(site);
  const side = sideCursor(site, (await store.peek(tenant, thread)).thread, live) ?? live.retired;
  const liveViews = store.views(tenant, placeOf(site.collection, live.generation));
  const nextViews = store.views(tenant, placeOf(site.collection, otherOf(live)));
  const count = { added: 0, removed: 0, changed: 0, same: 0 };
  const shown = { added: [] as ViewDifference[], removed: [] as ViewDifference[], changed: [] as ViewDifference[] };
  const note = (kind: keyof typeof shown, difference: ViewDifference) => {
    count[kind]++;
    if (shown[kind].length < samples) shown[kind].push(difference);
  };
  for await (const { id, mine, theirs } of pairs(liveViews, nextViews, signal)) {
    if (theirs === undefined) note("removed", { id, live: mine });
    else if (canonicalJson(mine) === canonicalJson(theirs)) count.same++;
    else note("changed", { id, live: mine, next: theirs });
  }
  for await (const { id, mine, theirs } of pairs(nextViews, liveViews, signal)) {
    if (theirs === undefined) note("added", { id, next: mine });
  }
  return { positions: { live: live.position, next: side?.position ?? 0 }, ...count, samples: shown };
}

async function* pairs(mine: IViews, theirs: IViews, signal: Signal | undefined) {
  for (let after: string | undefined, isLast = false; !isLast && !signal?.aborted; ) {
    const page = await mine.list({ limit: PAGE, ...(after !== undefined && { after }) });
    const others = page.views.length === 0 ? [] : await theirs.get(page.views.map(({ id }) => id));
    for (const [index, { id, value }] of page.views.entries()) yield { id, mine: value, theirs: others[index] };
    after = page.next;
    isLast = after === undefined;
  }
}
