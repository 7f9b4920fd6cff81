import type { Address, CommitOutcome } from "../../core/index.ts";
import { aggregatePartition, commitSort, LAST_COMMIT_SORT, versionOf } from "./keys.ts";
import { isTombstone } from "./order-rules.ts";
import { itemsOf } from "./reads.ts";
import { type Budget, textIn } from "./requests.ts";

/** The conflict of whoever comes too late for an aggregate. One read. */
export async function conflictOn(budget: Budget, address: Address): Promise<CommitOutcome> {
  const { type, id } = address;
  return { status: "conflict", type, id, actual: await lastVersion(budget, address) };
}

async function lastVersion(budget: Budget, address: Address): Promise<number> {
  const range = { pk: aggregatePartition(address), from: commitSort(0), to: LAST_COMMIT_SORT, isDescending: true, limit: 2 };
  for await (const item of itemsOf(budget, range)) {
    if (!isTombstone(item)) return versionOf(textIn(item, "sk")) ?? -1;
  }
  return -1;
}
