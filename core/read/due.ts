import type { Signal } from "../ports/platform.ts";
import type { PollResult } from "./poll.ts";
import type { AnyHandler } from "./subscriber.ts";

/** Lets the handlers do what a time asks for, after a poll; its result then says when the next time is. */
export async function meetDue(
  tenant: string,
  handlers: readonly AnyHandler[],
  result: PollResult,
  signal: Signal | undefined,
): Promise<PollResult> {
  let { retryAt } = result;
  for (const handler of handlers) {
    const at = await handler.due?.(tenant, signal);
    if (at !== undefined) retryAt = Math.min(at, retryAt ?? at);
  }
  return retryAt === undefined ? result : { ...result, retryAt };
}
