import { setImmediate } from "node:timers/promises";
import { AssertionError } from "chai";
import type { AnyHandler, PollOptions, StreamReader } from "../../core/index.ts";

/** How long to wait for commits that are being written, in ms. */
const PATIENCE = 20_000;

/** Polls a thread until its handlers have everything, and returns how many events they finished; fails where one is blocked. */
export async function pollUntilIdle(
  reader: StreamReader,
  tenant: string,
  thread: string,
  handlers: readonly AnyHandler[],
  options: PollOptions = {},
): Promise<number> {
  let handled = 0;
  for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
    const result = await reader.poll(tenant, thread, handlers, options);
    handled += result.handled;
    if (result.status === "idle") return handled;
    if (result.status === "blocked") throw new AssertionError(`${thread} is blocked: ${JSON.stringify(result.blocked)}`);
    await setImmediate();
  }
  throw new AssertionError(`${thread} is not idle after ${PATIENCE} ms`);
}
