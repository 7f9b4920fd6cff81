import type { IPlatform, Signal } from "./platform.ts";

// Shared by Node, browsers, workers and edge runtimes, as those of `platform.ts`.
declare const AbortController: new () => { readonly signal: Signal; abort(): void };

/** Gives work at most `ms` milliseconds; its signal aborts then. @throws {Error} when the time is up: how the work ends is not known. */
export async function within<T>(platform: IPlatform, ms: number, work: (signal: Signal) => Promise<T>): Promise<T> {
  const deadline = new AbortController();
  const over = new AbortController();
  const isLate = platform.sleep(ms, over.signal).then((): never => {
    deadline.abort();
    throw new Error(`no answer within ${ms} ms`);
  });
  // Once the work is over, nobody listens to the clock any more.
  isLate.catch(() => {});
  try {
    return await Promise.race([work(deadline.signal), isLate]);
  } finally {
    over.abort();
  }
}
