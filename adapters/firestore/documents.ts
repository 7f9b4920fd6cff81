import type { Commit, Json, JsonObject, PendingCommit, PositionedCommit, Receipt, Snapshot } from "../../core/index.ts";
import type { DocumentSnapshot, Fields } from "./client.ts";

/** The largest snapshot that is kept, in bytes of its JSON: a document holds 1 MiB, its name and other fields included. */
export const MAX_SNAPSHOT_BYTES = 1_000_000;

/** A commit as its document keeps it: one JSON text, so that any JSON comes back identical and no field is indexed. */
export function eventFields(commit: Omit<Commit, "tenant">): { readonly commitId: string; readonly data: string } {
  return { commitId: commit.commitId, data: JSON.stringify(commit) };
}

/** The commit of one of a pending commit's writes. */
export function commitOf(pending: PendingCommit, index: number): Omit<Commit, "tenant"> {
  const { type, id, version, events } = pending.writes[index] as PendingCommit["writes"][number];
  const { commitId, command, actor, at, correlationId, causationId, receipt } = pending;
  return {
    type,
    id,
    version,
    commitId,
    events,
    command,
    actor,
    at,
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
    ...(receipt !== undefined && index === 0 && { receipt }),
  };
}

/** The commit that a document keeps. */
export function commitIn(tenant: string, document: DocumentSnapshot): Commit {
  const commit = JSON.parse(textIn(document, "data")) as Omit<Commit, "tenant">;
  return frozen({ tenant, ...commit });
}

/** The same with its position. */
export function positionedIn(tenant: string, document: DocumentSnapshot, position: number): PositionedCommit {
  const commit = JSON.parse(textIn(document, "data")) as Omit<Commit, "tenant">;
  return frozen({ tenant, ...commit, position });
}

/** A snapshot's document, with its state as one JSON text; as native fields where clients read it. */
export function snapshotFields(version: number, schema: number, state: string | JsonObject): Fields {
  return { version, schema, state };
}

/** The snapshot that a document keeps, if there is one. */
export function snapshotIn(document: DocumentSnapshot | undefined): Snapshot | undefined {
  if (document?.exists !== true) return undefined;
  const { version, schema, state } = document.data() as { version: number; schema: number; state: string | JsonObject };
  return frozen({ version, schema, state: typeof state === "string" ? (JSON.parse(state) as JsonObject) : state });
}

/** A receipt's document; the TTL policy on `expireAt` deletes it then. */
export function receiptFields(receipt: Receipt, expireAt: number): Fields {
  return { data: JSON.stringify(receipt), expireAt: new Date(expireAt) };
}

/** The receipt that a document keeps, if there is one. */
export function receiptIn(document: DocumentSnapshot | undefined): Receipt | undefined {
  return document?.exists === true ? frozen(JSON.parse(textIn(document, "data")) as Receipt) : undefined;
}

/** A field that holds a text. */
export function textIn(document: DocumentSnapshot, field: string): string {
  return String(document.data()?.[field] ?? "");
}

/** Freezes a value as JSON makes it, and everything in it. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value as Record<string, Json>)) frozen(part);
  return Object.freeze(value);
}
