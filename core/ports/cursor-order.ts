import { Err } from "../model/errors.ts";
import { own } from "../model/own.ts";
import type { Cursor, CursorUpdate } from "./threads.ts";

/** Refuses an update that would move a cursor back without rewinding it. @throws {Err} `invalid_argument` that names the handler. */
export function checkForward(cursors: Readonly<Record<string, Cursor>>, update: CursorUpdate): void {
  for (const [handler, { position }] of Object.entries(update.cursors)) {
    const last = own(cursors, handler)?.position ?? 0;
    if (position < last && update.rewound?.includes(handler) !== true) {
      throw Err.invalidArgument(`cursors.${handler}`, `it is at ${last} and cannot move back to ${position}: rewind it`);
    }
  }
}
