import { Err } from "../model/errors.ts";
import type { UpcasterMap } from "../model/upcast.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform, Signal } from "../ports/platform.ts";
import type { ThreadState } from "../ports/threads.ts";
import type { ITracer } from "../ports/tracer.ts";
import { Progress } from "./progress.ts";

/** What a reader works with, whatever it reads. */
export interface ReaderTools {
  readonly store: IEventStore;
  readonly platform: IPlatform;
  readonly tracer: ITracer | undefined;
  /** By aggregate type. */
  readonly upcasters: ReadonlyMap<string, UpcasterMap>;
}

/** One thread of one tenant, and what to work on it with. */
export interface ThreadSetting extends ReaderTools {
  readonly tenant: string;
  readonly thread: string;
  /** Ends the work, and the wait for the thread. */
  readonly signal?: Signal | undefined;
}

/** Thrown when the signal aborted while another held the thread: nothing was done under its lease. */
export class StoppedWaiting extends Error {}

/** How long an operator's move waits for a reader to let go of the thread, in ms, and how often it asks. */
const PATIENCE = 8_000;
const ASK_EVERY = 20;
/** The same for a move that goes on where another process died: beyond that one's lease. */
export const LONG_PATIENCE = 60_000;
/** How long an operator's move may take, in ms. */
export const OPERATOR_LEASE = 30_000;

/**
 * Leases a thread that somebody else may hold for a moment, does the work, stores its progress, and releases the thread even if the work fails.
 * @throws {StoppedWaiting} when the setting's signal aborts first.
 */
export async function withThread<T>(
  setting: ThreadSetting,
  work: (progress: Progress, state: ThreadState) => Promise<T> | T,
  patience = PATIENCE,
): Promise<T> {
  const { progress, state } = await acquireSoon(setting, patience);
  let result: T;
  try {
    result = await work(progress, state);
  } catch (error) {
    await progress.drop();
    throw error;
  }
  if (!(await progress.store(0)))
    throw Err.precondition(
      `another reader took over thread ${setting.thread} meanwhile, and nothing more was changed: try again`,
    );
  return result;
}

async function acquireSoon(
  setting: ThreadSetting,
  patience: number,
): Promise<{ readonly progress: Progress; readonly state: ThreadState }> {
  const { store, platform, tenant, thread, signal } = setting;
  const end = platform.now() + patience;
  for (;;) {
    const { thread: state } = await store.peek(tenant, thread);
    const now = platform.now();
    if (state.leasedUntil <= now) {
      const lease = await store.acquire(tenant, thread, state, now + OPERATOR_LEASE);
      if (lease !== undefined) return { progress: new Progress(setting, lease, state), state };
    }
    if (signal?.aborted) throw new StoppedWaiting();
    if (now >= end)
      throw Err.precondition(
        `thread ${thread} is leased until ${state.leasedUntil} (ms since 1970): try again, or stop its reader`,
      );
    await platform.sleep(ASK_EVERY, signal);
  }
}
