import type { Address, PendingWrite, Snapshot } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { snapshotKey } from "./keys.ts";
import type { Budget, Expression } from "./requests.ts";
import { putItem } from "./writes.ts";

/** The most bytes of a snapshot's text: an item holds 400 KB, with its key. */
const MOST_BYTES = 390_000;

/**
 * When a snapshot may take the place of what is there: nothing, an older one, or what an erasure left of earlier positions. Older by its
 * position: versions begin anew in each life of a tenant.
 */
const FORWARD = "attribute_not_exists(pk) OR #position < :position OR #sealed < :position";

/** Writes a snapshot, forward only and once: whatever goes wrong, the commits are there. */
export async function writeSnapshot(
  budget: Budget,
  address: Address,
  version: number,
  { schema, state }: NonNullable<PendingWrite["snapshot"]>,
  position: number,
): Promise<void> {
  const body = JSON.stringify({ schema, state });
  if (body.length > MOST_BYTES || new TextEncoder().encode(body).length > MOST_BYTES) return;
  const condition: Expression = { expression: FORWARD, values: { ":position": position } };
  try {
    await putItem(budget, { ...snapshotKey(address), version, position, body }, condition);
  } catch {
    // A cache that is missing costs a few reads.
  }
}

/** Drops a snapshot of the commit at this position or an earlier one, and keeps its place, so that a late write of one does not bring it back. */
export async function dropSnapshot(budget: Budget, address: Address, position: number): Promise<void> {
  const expression = `${FORWARD} OR #position = :position`;
  await putItem(budget, { ...snapshotKey(address), position }, { expression, values: { ":position": position } });
}

/** The snapshot in an item; undefined where there is none. Frozen. */
export function snapshotOf(item: Item | undefined): Snapshot | undefined {
  const body = item?.body;
  const version = item?.version;
  if (typeof body !== "string" || typeof version !== "number") return undefined;
  const { schema, state } = decode(body) as unknown as Omit<Snapshot, "version">;
  return Object.freeze({ version, schema, state });
}
