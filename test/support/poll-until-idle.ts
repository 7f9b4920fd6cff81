import { setImmediate } from "node:timers/promises";
import { AssertionError } from "chai";
import type { AnyHandler, PollOptions, StreamReader } from "../../core/index.ts";

/** How long to wait for commits that are being written, or for work to end, in ms. */
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

/** Polls again and again while some work goes on, and settles as the work does; fails where the work takes too long. */
export async function pollDuring(work: Promise<unknown>, poll: () => Promise<unknown>): Promise<void> {
  let isOver = false;
  const ending = work.finally(() => {
    isOver = true;
  });
  // It is awaited below; until then a failure is nobody's.
  ending.catch(() => {});
  for (const end = Date.now() + PATIENCE; !isOver; ) {
    if (Date.now() > end) throw new AssertionError(`the work has not ended after ${PATIENCE} ms`);
    await poll();
    await setImmediate();
  }
  await ending;
}
