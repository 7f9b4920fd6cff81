import type { Attempt } from "./attempt.ts";
import type { Rehydrator } from "./rehydrate.ts";

/**
 * Whether an attempt decided on a warm state that the store has moved past.
 *
 * Notes in `asked` about which aggregates it asked the store: later attempts read those, so that each is asked about once.
 */
export async function isOutdated(attempt: Attempt, rehydrator: Rehydrator, asked: Set<string>): Promise<boolean> {
  let isOutdated = false;
  for (const { place, isCached, version, life } of attempt.participants) {
    if (!isCached) continue;
    asked.add(place.key);
    attempt.addCost({ reads: 1, writes: 0 });
    if (await rehydrator.isStale(place, version, life)) isOutdated = true;
  }
  return isOutdated;
}
