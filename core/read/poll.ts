import { Err } from "../model/errors.ts";
import type { Signal } from "../ports/platform.ts";
import { type Cursor, cursorIn, type Failure, type Lease, type Peek } from "../ports/threads.ts";
import { Progress } from "./progress.ts";
import type { Subscriber } from "./subscriber.ts";
import { type Standing, Turn, type TurnSetting } from "./turn.ts";

/** Settings of one poll. */
export interface PollOptions {
  /** The most commits that each handler gets: 1 to 1,000, default 100. */
  readonly limit?: number;
  /** How long the thread is leased, in ms, renewed while handlers work: 1,000 to 15 minutes, default 30,000. */
  readonly lease?: number;
  /** Stops after the current commit; what is finished is stored. */
  readonly signal?: Signal;
  /** Where a handler starts that is new to the thread; default `start`. */
  readonly from?: "start" | "end";
  /** What happens after a handler's last retry; default: the reader's own policy. */
  readonly onError?: "halt" | "park";
  /** What waits behind a parked event; default: the reader's own policy. */
  readonly park?: "event" | "aggregate";
}

/** A handler that is stopped at an event that failed, or that waits for an outside service (`attempts` is 0 then). */
export interface Blocked extends Failure {
  readonly handler: string;
}

type Status = "idle" | "progressed" | "waiting" | "leased";

/** What one poll did. */
export interface PollResult {
  /**
   * `progressed`: a cursor moved. `idle`: nothing to do. `waiting`: the next commit is being written. `leased`: another reader has the thread.
   * `blocked`: every handler with something to do is stopped at a failure.
   */
  readonly status: Status | "blocked";
  /** How many events handlers finished. */
  readonly handled: number;
  /** Whether another poll would find something now. */
  readonly more: boolean;
  /** The position up to which each handler is finished. */
  readonly cursors: Readonly<Record<string, number>>;
  /** When a failing handler is retried or a handler's `due` is to be called, whichever is first; in ms since 1970. */
  readonly retryAt?: number;
  readonly blocked: readonly Blocked[];
}

/** One poll, checked. */
export interface PollSetting extends TurnSetting {
  readonly limit: number;
  readonly from: "start" | "end";
}

/** Polls a thread once: looks, leases it if there is something to do, lets the handlers work, stores, releases. */
export async function pollOnce(subscribers: readonly Subscriber[], setting: PollSetting): Promise<PollResult> {
  const { store, platform, tenant, thread, lease, limit, from, signal } = setting;
  const peek = await store.peek(tenant, thread);
  const atFirst = () => subscribers.map((subscriber): Standing => ({ subscriber, cursor: cursorOf(subscriber, peek, setting) }));
  const standings = atFirst();
  const now = platform.now();
  const due = standings.filter((standing) => isDue(standing, peek, from, now));
  if (due.length === 0 || signal?.aborted) return summary("idle", 0, standings, peek);
  const held = peek.thread.leasedUntil > now ? undefined : await acquire(setting, peek, now + lease);
  if (held === undefined) return summary("leased", 0, standings, peek);
  if (held === "closed") return summary("idle", 0, standings, peek);
  const progress = new Progress(setting, held, peek.thread);
  const turn = new Turn(setting, progress);
  try {
    await turn.run(due, limit);
  } finally {
    // Also after a failure: what handlers finished is kept, and the thread is free for the next reader.
    if (!turn.isFenced) turn.isFenced = !(await progress.store(0));
  }
  if (turn.isFenced) return summary("leased", 0, atFirst(), peek);
  const hasProgressed = turn.hasMoved || turn.handled > 0;
  return summary(hasProgressed ? "progressed" : progress.waiting ? "waiting" : "idle", turn.handled, standings, peek);
}

/** A tenant that is not there (yet, or any more) has nothing to read: that is no error for a reader. */
async function acquire(
  { store, tenant, thread }: PollSetting,
  peek: Peek,
  leasedUntil: number,
): Promise<Lease | "closed" | undefined> {
  try {
    return await store.acquire(tenant, thread, peek.thread, leasedUntil);
  } catch (error) {
    if (Err.is(error, "tenant")) return "closed";
    throw error;
  }
}

function cursorOf(subscriber: Subscriber, { thread: state, head }: Peek, { thread, from }: PollSetting): Cursor {
  const { name, collection, version } = subscriber;
  const known = cursorIn(state, name);
  const owned = collection === undefined ? {} : { collection, ...(version && { version }) };
  if (known === undefined) return { position: from === "end" ? head : 0, ...owned };
  if (known.collection !== collection) {
    throw Err.precondition(
      `handler ${name} on thread ${thread} already keeps ${known.collection ?? "no collection"}, not ${collection ?? "none"}: give the new handler another name`,
    );
  }
  if (version !== undefined && version !== (known.version ?? 0)) throw Err.outdated(name, version, known.version ?? 0);
  return known;
}

/** Whether a handler has something to do: not while it stands at a failure whose time has not come. */
function isDue({ subscriber, cursor }: Standing, { thread, head }: Peek, from: "start" | "end", now: number): boolean {
  const { failure } = cursor;
  if (failure !== undefined && (failure.halted || failure.retryAt > now)) return false;
  // Where a handler from the end begins is only settled once it is stored.
  const isUnsettled = from === "end" && cursorIn(thread, subscriber.name) === undefined;
  return cursor.position < head || cursor.isClearing === true || isUnsettled;
}

function summary(status: Status, handled: number, standings: readonly Standing[], { head }: Peek): PollResult {
  const cursors: Record<string, number> = {};
  const blocked: Blocked[] = [];
  let more = false;
  for (const { subscriber, cursor } of standings) {
    const { position, failure } = cursor;
    cursors[subscriber.name] = position;
    if (failure !== undefined && failure.attempts + failure.retryAt > 0) blocked.push({ handler: subscriber.name, ...failure });
    else if (position < head) more = true;
  }
  const retries = blocked.filter(({ halted }) => !halted).map(({ retryAt }) => retryAt);
  const isBlocked = status === "idle" && !more && blocked.length > 0;
  return {
    status: isBlocked ? "blocked" : status,
    handled,
    more: more && status !== "waiting",
    cursors,
    ...(retries.length > 0 && { retryAt: Math.min(...retries) }),
    blocked,
  };
}
