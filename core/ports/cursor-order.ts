import { Err } from "../model/errors.ts";
import { encode } from "../model/json.ts";
import { own } from "../model/own.ts";
import type { Cursor, CursorUpdate } from "./threads.ts";

/** The cursors of a thread after an update. */
export function cursorsAfter(
  before: Readonly<Record<string, Cursor>>,
  { cursors, forgotten = [] }: CursorUpdate,
): Readonly<Record<string, Cursor>> {
  const after = { ...before, ...(encode(cursors).value as unknown as CursorUpdate["cursors"]) };
  for (const { handler } of forgotten) delete after[handler];
  return Object.freeze(after);
}

/** Refuses an update that would move a cursor back without rewinding it. @throws {Err} `invalid_argument` that names the handler. */
export function checkForward(cursors: Readonly<Record<string, Cursor>>, update: CursorUpdate): void {
  for (const [handler, { position }] of Object.entries(update.cursors)) {
    const last = own(cursors, handler)?.position ?? 0;
    if (position < last && update.rewound?.includes(handler) !== true) {
      throw Err.invalidArgument(`cursors.${handler}`, `it is at ${last} and cannot move back to ${position}: rewind it`);
    }
  }
}
