import { Err } from "../model/errors.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform, Signal } from "../ports/platform.ts";
import type { Cursor, Lease, Peek } from "../ports/threads.ts";
import { Progress } from "./progress.ts";

/** A thread that is ours for a while. */
export interface HeldThread {
  readonly lease: Lease;
  readonly cursors: Readonly<Record<string, Cursor>>;
  readonly progress: Progress;
}

/** How long an operator's move waits for a reader to let go of the thread, in ms, and how often it asks. */
const PATIENCE = 8_000;
const ASK_EVERY = 20;
/** How long an operator's move may take, in ms. */
const OPERATOR_LEASE = 30_000;

/** Leases a thread that somebody else may hold for a moment, does the work, and releases it even if the work fails. */
export async function withThread<T>(
  store: IEventStore,
  platform: IPlatform,
  tenant: string,
  thread: string,
  work: (held: HeldThread) => Promise<T>,
  signal?: Signal,
): Promise<T> {
  const { lease, peek } = await acquireSoon(store, platform, tenant, thread, signal);
  const progress = new Progress(store, lease, peek.thread.cursors, peek.thread.waiting);
  let result: T;
  try {
    result = await work({ lease, cursors: peek.thread.cursors, progress });
  } catch (error) {
    await new Progress(store, lease, peek.thread.cursors, peek.thread.waiting).store(0);
    throw error;
  }
  if (!(await progress.store(0)))
    throw Err.precondition(`thread ${thread} was taken over meanwhile, and nothing was changed: try again`);
  return result;
}

async function acquireSoon(
  store: IEventStore,
  platform: IPlatform,
  tenant: string,
  thread: string,
  signal: Signal | undefined,
): Promise<{ lease: Lease; peek: Peek }> {
  const end = platform.now() + PATIENCE;
  for (;;) {
    const peek = await store.peek(tenant, thread);
    const now = platform.now();
    if (peek.thread.leasedUntil <= now) {
      const lease = await store.acquire(tenant, thread, peek.thread, now + OPERATOR_LEASE);
      if (lease !== undefined) return { lease, peek };
    }
    if (now >= end || signal?.aborted) {
      throw Err.precondition(
        `thread ${thread} is leased until ${peek.thread.leasedUntil} (ms since 1970): try again, or stop its reader`,
      );
    }
    await platform.sleep(ASK_EVERY, signal);
  }
}
