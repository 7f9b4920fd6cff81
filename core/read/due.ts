import { Err } from "../model/errors.ts";
import type { PollResult } from "./poll.ts";
import type { Subscriber } from "./subscriber.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** How soon a handler that failed at what a time asked for is called again, in ms. */
const CALL_AGAIN = 1_000;

/**
 * Lets the handlers do what a time asks for, after a poll; its result then says when the next time is.
 *
 * A handler that fails at it is traced and called again: the events are read already, and the other handlers go on.
 */
export async function meetDue(
  { tenant, thread, tracer, platform, signal }: ThreadSetting,
  subscribers: readonly Subscriber[],
  result: PollResult,
): Promise<PollResult> {
  let { retryAt } = result;
  for (const { name, handler } of subscribers) {
    let at: number | undefined;
    try {
      at = await handler.due?.(tenant, signal);
    } catch (error) {
      if (Err.is(error, "store")) throw error;
      tracer?.trace(() => ({ method: "error", tenant, thread, handler: name, error }));
      at = platform.now() + CALL_AGAIN;
    }
    if (at !== undefined) retryAt = Math.min(at, retryAt ?? at);
  }
  return retryAt === undefined ? result : { ...result, retryAt };
}
