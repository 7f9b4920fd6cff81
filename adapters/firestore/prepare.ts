import type { PendingCommit } from "../../core/index.ts";
import type { FieldValues } from "./client.ts";
import type { Write } from "./database.ts";
import { commitOf, eventFields, MAX_SNAPSHOT_BYTES, receiptFields, snapshotFields } from "./documents.ts";
import { eventKey, idKey, pathOf, snapshotPath } from "./keys.ts";

/** How long receipts are kept, in ms: the contract's seven days, and one for machines whose clock is ahead. */
export const RECEIPT_LIFE = 8 * 24 * 60 * 60 * 1000;
/** The most bytes in one batch: Firestore takes 10 MiB a request, its emulator 4 MiB. */
const BATCH_BYTES = 3_500_000;
/** What a write takes beside its data, in bytes: its path, a ref in the log, the names of fields. */
const OVERHEAD = 2_500;

/** What a native field may take beside its JSON, in bytes: `-1` is 3 there with its comma, and 13 on the way. */
const VALUE_BYTES = 10;

/** A pending commit spelled as writes; the log's entry is made for the batch as a whole. */
export interface Prepared {
  readonly commit: PendingCommit;
  readonly writes: readonly Write[];
  readonly refs: readonly string[];
  readonly bytes: number;
}

/** Spells a pending commit. A snapshot that is too large for its document, or for the batch, is left out. */
export function prepare(tenant: string, commit: PendingCommit, now: number): Prepared {
  const writes: Write[] = [];
  const refs: string[] = [];
  let bytes = 0;
  for (const [index, { type, id, version }] of commit.writes.entries()) {
    const ref = eventKey(type, id, version);
    const fields = eventFields(commitOf(commit, index));
    refs.push(ref);
    bytes += Buffer.byteLength(fields.data) + OVERHEAD;
    writes.push({ kind: "create", path: pathOf(tenant, "events", ref), fields });
  }
  if (commit.receipt !== undefined) {
    const path = pathOf(tenant, "receipts", idKey(commit.receipt.commandId));
    writes.push({ kind: "create", path, fields: receiptFields(commit.receipt, now + RECEIPT_LIFE) });
    bytes += OVERHEAD;
  }
  for (const { type, id, version } of commit.verified) {
    // Deletes nothing: it only fails where somebody committed the next version.
    writes.push({ kind: "delete", path: pathOf(tenant, "events", eventKey(type, id, version + 1)), if: { exists: false } });
    bytes += OVERHEAD;
  }
  // An older snapshot cannot come later: only the batch that creates a version writes its snapshot, and creates follow each other.
  for (const { type, id, version, snapshot } of commit.writes) {
    if (snapshot === undefined) continue;
    let values = 0;
    const count = (_: string, value: unknown) => {
      values++;
      return value;
    };
    const text = snapshot.isPublished ? JSON.stringify(snapshot.state, count) : JSON.stringify(snapshot.state);
    const size = Buffer.byteLength(text) + VALUE_BYTES * values + OVERHEAD;
    if (size > MAX_SNAPSHOT_BYTES || bytes + size > BATCH_BYTES) continue;
    const fields = snapshotFields(version, snapshot.schema, snapshot.isPublished ? snapshot.state : text);
    writes.push({ kind: "set", path: snapshotPath(tenant, type, id), fields });
    bytes += size;
  }
  return { commit, writes, refs, bytes };
}

/** Cuts a group into parts that are one batch each: one life, no document twice (but for several who verify it), not too many bytes. */
export function partition(prepared: readonly Prepared[]): readonly (readonly Prepared[])[] {
  const parts: Prepared[][] = [];
  let touched = new Map<string, Write["kind"]>();
  let bytes = 0;
  let life: string | undefined;
  for (const one of prepared) {
    const clashes = one.writes.some(({ kind, path }) => {
      const other = touched.get(path);
      return other !== undefined && (kind !== "delete" || other !== "delete");
    });
    const isOfAnotherLife = life !== undefined && one.commit.life !== undefined && one.commit.life !== life;
    if (parts.length === 0 || clashes || isOfAnotherLife || bytes + one.bytes > BATCH_BYTES) {
      parts.push([]);
      touched = new Map();
      [bytes, life] = [0, undefined];
    }
    parts.at(-1)?.push(one);
    life ??= one.commit.life;
    bytes += one.bytes;
    for (const { kind, path } of one.writes) touched.set(path, kind);
  }
  return parts;
}

/** All writes of a group: those of its members, each verified document once, and the one entry in the tenant's log. */
export function writesOf(logPath: string, group: readonly Prepared[], { increment, arrayUnion }: FieldValues): readonly Write[] {
  const verified = new Set<string>();
  const writes = group.flatMap((one) => one.writes).filter(({ kind, path }) => kind !== "delete" || isFirst(verified, path));
  const refs = group.flatMap((one) => one.refs);
  const fields = { refs: arrayUnion(...refs), count: increment(refs.length) };
  return [...writes, { kind: "update", path: logPath, fields }];
}

function isFirst(seen: Set<string>, path: string): boolean {
  if (seen.has(path)) return false;
  seen.add(path);
  return true;
}
