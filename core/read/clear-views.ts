import { placeOf } from "./generation.ts";
import { dropParked, isOfGeneration, parkedOf } from "./held-aggregates.ts";
import type { Standing, Turn } from "./turn.ts";

/** How many views are deleted in one write. */
const VIEWS_A_PAGE = 80;

/**
 * Deletes a projection's views, page by page, and the parked events that the views to come will hold; goes on where a crash left it.
 * False = fenced.
 */
export async function clearViews(turn: Turn, { subscriber, cursor }: Standing): Promise<boolean> {
  const { name, collection } = subscriber;
  if (collection === undefined) return true;
  const place = placeOf(collection, cursor.generation);
  const { store, tenant } = turn.setting;
  // What other handlers did before would make the first page too large for one write.
  if (!(await turn.storeProgress())) return false;
  for (;;) {
    const { views } = await store.views(tenant, place).list({ limit: VIEWS_A_PAGE });
    if (views.length === 0) break;
    for (const { id } of views) turn.progress.writeView(place, id);
    if (!(await turn.storeProgress())) return false;
  }
  for await (const parked of parkedOf(turn.setting, name)) {
    if (!isOfGeneration(parked, cursor.generation)) continue;
    dropParked(turn.progress, parked);
    if (turn.progress.isFull && !(await turn.storeProgress())) return false;
  }
  // Before any event: it may be parked under the same key again, and what is held back is read from the store.
  return turn.storeProgress();
}
