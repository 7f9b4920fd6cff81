import type { Cursor, ThreadState, Waiting } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { threadKey } from "./keys.ts";
import { numberIn, textIn } from "./requests.ts";

const FREE = "free-";
/** The revision of a thread whose tenant is being erased: nobody can lease it any more. */
export const CLOSED = "closed";

/** The state of a thread that was never used; its revision says so. */
export function freeThread(firstFence: number): ThreadState {
  return Object.freeze({ fence: firstFence, leasedUntil: 0, cursors: Object.freeze({}), revision: `${FREE}${firstFence}` });
}

/** Whether a thread was never used when it was seen. */
export function isFree({ revision }: ThreadState): boolean {
  return revision.startsWith(FREE);
}

/** The item of a thread. Cursors and waiting are one text: all handlers move together. */
export function threadItem(tenant: string, thread: string, state: ThreadState): Item {
  const { fence, leasedUntil, revision, cursors, waiting } = state;
  const body = JSON.stringify({ cursors, ...(waiting !== undefined && { waiting }) });
  return { ...threadKey(tenant, thread), fence, leasedUntil, revision, body };
}

/** The state in a thread's item. Deep-frozen. */
export function threadStateOf(item: Item): ThreadState {
  const { cursors, waiting } = decode(textIn(item, "body")) as unknown as {
    readonly cursors: Readonly<Record<string, Cursor>>;
    readonly waiting?: Waiting;
  };
  return Object.freeze({
    fence: numberIn(item, "fence"),
    leasedUntil: numberIn(item, "leasedUntil"),
    cursors,
    ...(waiting !== undefined && { waiting }),
    revision: textIn(item, "revision"),
  });
}
