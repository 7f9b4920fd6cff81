import type { IEventStore } from "../ports/event-store.ts";
import type { Progress } from "./progress.ts";
import type { Standing } from "./turn.ts";

/** How many views are deleted in one write. */
const PAGE = 80;

/** Finishes a rewind: deletes all of a projection's views, page by page, then lets its cursor begin. Goes on where a crash left it. False = fenced. */
export async function clearViews(
  store: IEventStore,
  tenant: string,
  standing: Standing,
  progress: Progress,
  leasedUntil: () => number,
): Promise<boolean> {
  const { isClearing: _, ...cursor } = standing.cursor;
  const { collection } = cursor;
  if (collection === undefined) return true;
  for (;;) {
    const { views } = await store.views(tenant, collection).list({ limit: PAGE });
    if (views.length === 0) break;
    for (const { id } of views) progress.writeView(collection, id);
    if (!(await progress.store(leasedUntil()))) return false;
  }
  standing.cursor = cursor;
  return true;
}
