import type { PositionedCommit } from "../model/commit.ts";
import type { ExportRecord } from "./tenants.ts";
import type { Cursor, ParkedEvent } from "./threads.ts";

/** The record of a commit in an export; `position` is its number there: dense, from 1. */
export function commitRecord(commit: PositionedCommit, position: number): ExportRecord {
  const { tenant: _tenant, position: _position, ...rest } = commit;
  return { kind: "commit", position, commit: rest };
}

/**
 * The records of a thread and its parked events in an export of the commits up to the position `head`.
 *
 * Projections are left out, because they begin anew. A handler that went beyond `head` since stands at `head`.
 */
export function threadRecords(
  thread: string,
  cursors: Readonly<Record<string, Cursor>>,
  parked: readonly ParkedEvent[],
  head: number,
): readonly ExportRecord[] {
  const kept = Object.entries(cursors).filter(([, { collection }]) => collection === undefined);
  const records: ExportRecord[] = [
    {
      kind: "thread",
      thread,
      cursors: Object.fromEntries(kept.map(([handler, { position }]) => [handler, Math.min(position, head)])),
    },
  ];
  for (const event of parked) {
    if (event.position <= head && cursors[event.handler]?.collection === undefined) {
      records.push({ kind: "parked", thread, parked: event });
    }
  }
  return records;
}
