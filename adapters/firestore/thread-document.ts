import type { Cursor, ThreadState, Waiting } from "../../core/index.ts";
import type { DocumentSnapshot, Fields } from "./client.ts";
import { frozen } from "./documents.ts";

const FREE = "free:";

/** A thread that was never used in this life of its tenant; life 0 is that of a tenant that cannot be read. */
export function freeThread(life: number, firstFence: number): ThreadState {
  return frozen({ fence: firstFence, leasedUntil: 0, cursors: {}, revision: FREE + life });
}

/** The life in which a thread without a document was seen; undefined for a revision with one. */
export function lifeOfRevision(revision: string): number | undefined {
  return revision.startsWith(FREE) ? Number(revision.slice(FREE.length)) : undefined;
}

/** A thread's document: its cursors as one JSON text, for they are never searched. */
export function threadFields({ fence, leasedUntil, cursors, waiting, revision }: ThreadState): Fields {
  return { fence, leasedUntil, revision, data: JSON.stringify({ cursors, ...(waiting && { waiting }) }) };
}

/** The state that a thread's document keeps, if there is one. */
export function threadIn(document: DocumentSnapshot | undefined): ThreadState | undefined {
  if (document?.exists !== true) return undefined;
  const { fence, leasedUntil, revision, data } = document.data() as Record<"fence" | "leasedUntil", number> &
    Record<"revision" | "data", string>;
  const { cursors, waiting } = JSON.parse(data) as { cursors: Record<string, Cursor>; waiting?: Waiting };
  return frozen({ fence, leasedUntil, cursors, ...(waiting && { waiting }), revision });
}
