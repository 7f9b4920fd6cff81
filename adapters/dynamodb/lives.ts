import { type CommitOutcome, ERASED_NAME_REST, type PendingCommit } from "../../core/index.ts";
import { conflictOn } from "./conflict.ts";
import { commitKey, textOfKey } from "./keys.ts";
import { isTombstone } from "./order-rules.ts";
import { getItems } from "./reads.ts";
import type { Budget } from "./requests.ts";

/** How many tenants are remembered. */
const MOST_TENANTS = 100_000;

/** A tenant's life as this process last saw it, and since when. */
interface Life {
  /** The position before the life's first. */
  readonly start: number;
  /** Until when somebody may still act on what was loaded in an earlier life, in ms since 1970. */
  readonly doubtedUntil: number;
}

/**
 * Notices that a tenant was erased and filled anew while this process ran.
 *
 * A put at the next version cannot see that the version before it is gone, and every commit of a warm process would have to read it. But a
 * process that saw one life of a tenant only has loaded nothing from another. So only after a change, as long as anybody may keep a state
 * of before, each commit's predecessors are read.
 */
export class Lives {
  readonly #lives = new Map<string, Life>();
  #hasForgotten = false;

  /** Notes where the present life of a tenant starts; whether what a caller knows of it may come from an earlier one. */
  note(tenant: string, start: number, now: number): boolean {
    const known = this.#lives.get(tenant);
    if (known?.start === start) return now < known.doubtedUntil;
    const isChanged = known !== undefined || this.#hasForgotten;
    const life = { start, doubtedUntil: isChanged ? now + ERASED_NAME_REST : 0 };
    this.#lives.set(tenant, life);
    if (this.#lives.size > MOST_TENANTS) this.#forgetOldest();
    return isChanged;
  }

  #forgetOldest(): void {
    this.#hasForgotten = true;
    for (const oldest of this.#lives.keys()) {
      this.#lives.delete(oldest);
      return;
    }
  }
}

/** The conflict of a commit whose versions, or verified versions, do not follow what is stored. Reads each predecessor. */
export async function missingPredecessor(
  budget: Budget,
  tenant: string,
  { writes, verified }: PendingCommit,
): Promise<CommitOutcome | undefined> {
  const expected = [
    ...writes.map(({ type, id, version }) => ({ type, id, version: version - 1 })),
    ...verified.map(({ type, id, version }) => ({ type, id, version })),
  ].filter(({ version }) => version >= 0);
  const keys = expected.map(({ type, id, version }) => commitKey({ tenant, type, id }, version));
  const found = await getItems(budget, keys);
  for (const [index, { type, id }] of expected.entries()) {
    const item = found.get(textOfKey(keys[index] as (typeof keys)[number]));
    if (item === undefined || isTombstone(item)) return conflictOn(budget, { tenant, type, id });
  }
  return undefined;
}
