import type { IPlatform } from "../ports/platform.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** How far a handler is behind. */
export interface HandlerLag {
  /** The position up to which it is finished. */
  readonly position: number;
  /** Commits that wait for it; slightly too high on a store that leaves positions unused. */
  readonly commits: number;
  /** How long the first of them has waited, by the clock of the machine that wrote it, in s; 0 where none waits. */
  readonly seconds: number;
  /** Whether it is stopped at an event that failed. */
  readonly isBlocked: boolean;
}

/** How far each handler of a thread is behind: one peek, and one commit for each place short of the end where handlers stand. */
export async function lagOf({
  store,
  platform,
  tenant,
  thread,
  tracer,
}: ThreadSetting): Promise<Readonly<Record<string, HandlerLag>>> {
  const { thread: state, head } = await store.peek(tenant, thread);
  const cursors = Object.entries(state.cursors);
  const places = new Set(cursors.map(([, { position }]) => position).filter((position) => position < head));
  // Together: they are independent reads, and as a rule there is one.
  const waits = new Map(
    await Promise.all(
      Array.from(places, async (position) => {
        const { commits, waiting } = await store.read(tenant, position, 1);
        return [position, secondsSince(platform, commits[0]?.at ?? waiting?.since)] as const;
      }),
    ),
  );
  const lags = cursors.map(([handler, { position, failure }]) => {
    const isBlocked = failure !== undefined && failure.attempts > 0;
    const lag = { position, commits: Math.max(0, head - position), seconds: waits.get(position) ?? 0, isBlocked };
    tracer?.trace(() => ({ method: "lag", tenant, thread, handler, ...lag }));
    return [handler, lag] as const;
  });
  return Object.fromEntries(lags);
}

function secondsSince(platform: IPlatform, at: number | undefined): number {
  return at === undefined ? 0 : Math.max(0, (platform.now() - at) / 1_000);
}
