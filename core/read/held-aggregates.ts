import type { PositionedCommit } from "../model/commit.ts";
import type { ParkedEvent, ParkedKey } from "../ports/threads.ts";
import { NO_GENERATION } from "./generation.ts";
import type { Progress } from "./progress.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** How many parked events are read at once. */
const PAGE = 200;

/** All parked events of a handler on a thread, oldest first. */
export async function* parkedOf({ store, tenant, thread }: ThreadSetting, handler: string): AsyncGenerator<ParkedEvent> {
  for (let after: ParkedKey | undefined, isLast = false; !isLast; ) {
    const page = await store.parked(tenant, thread, { handler, limit: PAGE, ...(after && { after }) });
    yield* page.parked;
    after = page.next;
    isLast = after === undefined;
  }
}

/** Whether a parked event is lacking in this generation of views; each has dead letters of its own. */
export function isOfGeneration(parked: ParkedEvent, generation: number | undefined): boolean {
  return (parked.generation ?? 0) === (generation ?? 0);
}

/** The key of an aggregate within its tenant; undefined where it was not kept. */
export function aggregateKey(aggregate: ParkedEvent["aggregate"]): string | undefined {
  return aggregate && `${aggregate.type}/${aggregate.id}`;
}

/** The aggregate of a commit, as a parked event keeps it. */
export function aggregateOf({ type, id }: PositionedCommit): NonNullable<ParkedEvent["aggregate"]> {
  return { type, id };
}

/** The aggregates whose events wait for a parked one. */
export async function heldAggregates(
  setting: ThreadSetting,
  handler: string,
  generation: number | undefined,
): Promise<Set<string>> {
  const held = new Set<string>();
  for await (const parked of parkedOf(setting, handler)) {
    const key = aggregateKey(parked.aggregate);
    if (key !== undefined && parked.reason === undefined && isOfGeneration(parked, generation)) held.add(key);
  }
  return held;
}

/**
 * Takes a dead letter away whose views go. The operator's word outlives them, whatever generation comes: it stays listed, and a rebuild
 * passes over the event too.
 */
export function dropParked(progress: Progress, parked: ParkedEvent): void {
  const { handler, position, index, reason } = parked;
  if (reason !== undefined) progress.park({ ...parked, generation: NO_GENERATION });
  else progress.unpark({ handler, position, index });
}
