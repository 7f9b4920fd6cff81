import type { Commit, PendingCommit, PositionedCommit, Receipt, Snapshot, StoredEvent } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";

/** A commit as it is read: its address beside the text that holds the rest. */
export interface CommitRow {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly position: number;
  readonly data: string;
}

/** A snapshot as it is read; null where there is none. */
export interface SnapshotRow {
  readonly snapshot_version: number | null;
  readonly snapshot_schema: number;
  readonly snapshot: string;
}

/** What a commit's text holds: all but its address, version and position. */
export type CommitFacts = Omit<Commit, "tenant" | "type" | "id" | "version">;

/** The canonical text of a commit's facts: keys sorted, absent ones left out. */
export function encodeCommit(facts: CommitFacts): string {
  const { actor, at, causationId, command, commitId, correlationId, events, receipt, redactedAt } = facts;
  return JSON.stringify({
    actor: { id: actor.id, name: actor.name },
    at,
    causationId,
    command,
    commitId,
    correlationId,
    events: events.map(({ name, payload, schemaVersion }) => ({ name, payload, schemaVersion })),
    receipt: receipt === undefined ? undefined : sortedReceipt(receipt),
    redactedAt,
  });
}

/** The text of one write of a pending commit; the first one carries the receipt. */
export function encodePending(pending: PendingCommit, events: readonly StoredEvent[], isFirst: boolean): string {
  const { writes: _, verified: __, receipt, ...facts } = pending;
  return encodeCommit({ ...facts, events, ...(receipt === undefined || !isFirst ? {} : { receipt }) });
}

/** The commit of a row, without its position. */
export function commitOf(tenant: string, { type, id, version, data }: Omit<CommitRow, "position">): Commit {
  return Object.freeze({ tenant, type, id, version, ...factsOf(data) });
}

/** The commit of a row, with its position. */
export function positionedOf(tenant: string, { type, id, version, position, data }: CommitRow): PositionedCommit {
  return Object.freeze({ tenant, type, id, version, position, ...factsOf(data) });
}

/** What a commit's text says. */
export function factsOf(data: string): CommitFacts {
  return decode(data) as unknown as CommitFacts;
}

/** The snapshot of a row, if there is one. */
export function snapshotOf({ snapshot_version, snapshot_schema, snapshot }: SnapshotRow): Snapshot | undefined {
  if (snapshot_version === null) return undefined;
  return Object.freeze({ version: snapshot_version, schema: snapshot_schema, state: decode(snapshot) as Snapshot["state"] });
}

function sortedReceipt({ actorId, commandId, hash, id, type, version }: Receipt): Receipt {
  return { actorId, commandId, hash, id, type, version };
}
