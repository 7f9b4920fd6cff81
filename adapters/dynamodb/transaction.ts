import type { CommitOutcome, PendingCommit } from "../../core/index.ts";
import type { Item } from "./client.ts";
import { conflictOn } from "./conflict.ts";
import { commitKey, type Key, receiptKey, textOfKey } from "./keys.ts";
import { isTombstone, type OrderRules } from "./order-rules.ts";
import { getItems } from "./reads.ts";
import { encodeReceipt, receiptOf } from "./receipts.ts";
import type { Budget } from "./requests.ts";
import { commitItem } from "./stored-commit.ts";
import { Parts, transact } from "./writes.ts";

/** What one attempt at a position came to; `voided` = a reader or a verifying commit closed the position. */
export type Attempt = CommitOutcome | { readonly status: "voided" };

/**
 * Writes a commit of several aggregates, with its receipt and its verified versions, as a whole at consecutive positions.
 *
 * What the transaction says of its refusal is not complete, so all its items are read to tell why; a torn sight of a transaction that is
 * being applied settles nothing, and it is sent again.
 */
export async function writeTogether(
  budget: Budget,
  rules: OrderRules,
  tenant: string,
  commit: PendingCommit,
  first: number,
): Promise<Attempt> {
  const keys = keysOf(tenant, commit);
  const last = first + commit.writes.length - 1;
  const raised = new Set<string>();
  for (let tries = 0; ; tries++) {
    const parts = partsOf(budget, rules, tenant, commit, first, raised);
    const outcome = await transact(budget, parts.items, budget.database.platform.newId());
    if (outcome.isDone) return { status: "committed", positions: commit.writes.map((_, index) => first + index) };
    const found = await getItems(budget, keys.all);
    const settled = await settle(budget, tenant, commit, first, keys, found);
    if (settled !== undefined) return settled;
    const before = raised.size;
    for (const key of keys.verified) {
      const item = found.get(textOfKey(key));
      if (item !== undefined && (item.sealed as number) >= last) raised.add(textOfKey(key));
    }
    // Somebody else raised it higher, so that a check will do: no need to wait.
    if (raised.size === before) await budget.pauseOrThrow(tries);
  }
}

interface Keys {
  readonly writes: readonly Key[];
  readonly verified: readonly Key[];
  readonly receipt: Key | undefined;
  readonly all: readonly Key[];
}

function keysOf(tenant: string, { writes, verified, receipt }: PendingCommit): Keys {
  const written = writes.map(({ type, id, version }) => commitKey({ tenant, type, id }, version));
  const next = verified.map(({ type, id, version }) => commitKey({ tenant, type, id }, version + 1));
  const kept = receipt === undefined ? undefined : receiptKey(tenant, receipt.commandId);
  return { writes: written, verified: next, receipt: kept, all: [...written, ...next, ...(kept === undefined ? [] : [kept])] };
}

function partsOf(
  budget: Budget,
  rules: OrderRules,
  tenant: string,
  commit: PendingCommit,
  first: number,
  raised: ReadonlySet<string>,
): Parts {
  const parts = new Parts(budget);
  for (const index of commit.writes.keys()) {
    parts.put(commitItem(tenant, commit, index, first + index), rules.write(first + index));
  }
  // The last of its positions: whatever has an earlier one must not land behind our back.
  const last = first + commit.writes.length - 1;
  for (const { type, id, version } of commit.verified) {
    const key = commitKey({ tenant, type, id }, version + 1);
    const { raises, condition } = rules.verify(last, raised.has(textOfKey(key)));
    // A put, so that nothing of an erased life's tombstone is left, least of all its end.
    if (raises) parts.put({ ...key, sealed: last }, condition);
    else parts.check(key, condition);
  }
  const { receipt, commitId } = commit;
  if (receipt !== undefined) {
    const item = encodeReceipt(tenant, receipt, commitId, budget.database.platform.now());
    parts.put(item, { expression: "attribute_not_exists(pk)" });
  }
  return parts;
}

/** What the items say of the refused commit; undefined where they say nothing final. */
async function settle(
  budget: Budget,
  tenant: string,
  commit: PendingCommit,
  first: number,
  keys: Keys,
  found: ReadonlyMap<string, Item>,
): Promise<Attempt | undefined> {
  const at = (key: Key) => found.get(textOfKey(key));
  const own = keys.writes.map((key) => at(key)).filter((item) => item?.commitId === commit.commitId);
  if (own.length === keys.writes.length) {
    return { status: "committed", positions: own.map((item) => item?.position as number) };
  }
  // Some, but not all: it is being applied at this moment.
  if (own.length > 0) return undefined;
  const earlier = keys.receipt === undefined ? undefined : at(keys.receipt);
  if (earlier !== undefined) {
    return earlier.commitId === commit.commitId ? undefined : { status: "repeated", receipt: receiptOf(earlier) };
  }
  const addresses = [...commit.writes, ...commit.verified].map(({ type, id }) => ({ tenant, type, id }));
  for (const [index, key] of [...keys.writes, ...keys.verified].entries()) {
    const item = at(key);
    const address = addresses[index];
    if (item !== undefined && !isTombstone(item) && address !== undefined) return conflictOn(budget, address);
  }
  const isVoided = keys.writes.some((key, index) => ((at(key)?.sealed as number | undefined) ?? -1) >= first + index);
  return isVoided ? { status: "voided" } : undefined;
}
