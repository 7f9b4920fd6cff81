import type { PositionedCommit } from "../model/commit.ts";
import { isName } from "../model/ids.ts";
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
 * Projections are left out, because they begin anew, and so are the threads of rebuilds. A handler that went beyond `head` since stands at `head`.
 */
export async function* threadRecords(
  thread: string,
  cursors: Readonly<Record<string, Cursor>>,
  parked: Iterable<ParkedEvent> | AsyncIterable<ParkedEvent>,
  head: number,
): AsyncGenerator<ExportRecord> {
  if (!isName(thread)) return;
  const kept = Object.entries(cursors).filter(([, { collection }]) => collection === undefined);
  const positions = Object.fromEntries(kept.map(([handler, { position }]) => [handler, Math.min(position, head)]));
  yield { kind: "thread", thread, cursors: positions };
  for await (const event of parked) {
    if (event.position <= head && cursors[event.handler]?.collection === undefined)
      yield { kind: "parked", thread, parked: event };
  }
}

/** The cursor of a handler in an import: it may have parked events, for these come in records of their own. */
export function importedCursor(position: number): Cursor {
  return { position, isParking: true };
}
