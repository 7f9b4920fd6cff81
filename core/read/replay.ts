import { checkArgument, checkInteger, checkLimit } from "../model/arguments.ts";
import type { PositionedCommit } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { own } from "../model/own.ts";
import { upcast } from "../model/upcast.ts";
import type { AnyEventHandler } from "../ports/event-handler.ts";
import type { Cost, ReadResult } from "../ports/event-store.ts";
import type { Signal } from "../ports/platform.ts";
import type { Waiting } from "../ports/threads.ts";
import type { EventFunction } from "./delivery.ts";
import { textOf } from "./failure-policy.ts";
import { RebuildMeter, type RebuildProgress } from "./rebuild-meter.ts";
import type { Subscriber } from "./subscriber.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** Settings of a replay. */
export interface ReplayOptions {
  /** Only events of these names; default: all that the handlers handle. */
  readonly events?: readonly string[];
  /** The first position, included; default 1. */
  readonly from?: number;
  /** The last position, included; default: the last at the time of the call. */
  readonly to?: number;
  /** Counts, and calls no handler. */
  readonly dryRun?: boolean;
  /** Stops after the current commit. */
  readonly signal?: Signal;
  /** Called after each page of commits. */
  readonly onProgress?: (progress: RebuildProgress) => void;
  /** The most commits read at once: 1 to 1,000, default 100. */
  readonly limit?: number;
}

/** What a replay did, or what it would do. */
export interface Replayed {
  readonly status: "done" | "stopped";
  /** The last position that was replayed: to continue, set `from` to one above it. */
  readonly position: number;
  readonly commits: number;
  /** How many events each handler got, by handler and event name. */
  readonly events: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** About what the store reads for it: one for each commit and one a page, without what handlers do themselves. */
  readonly cost: Cost;
}

/** How long to wait for a commit that is being written, in ms. */
const LOOK_SOON = 100;

/** Hands old events to handlers again, beside their threads: no cursor moves, and live events may come between. */
export async function replay(
  setting: ThreadSetting,
  subscribers: readonly Subscriber[],
  options: ReplayOptions,
): Promise<Replayed> {
  const { store, platform, tenant, thread } = setting;
  const limit = checkLimit(options.limit);
  const from = checkInteger(options.from ?? 1, "from", 1);
  checkInteger(options.to ?? from, "to", from);
  for (const { name, handler } of subscribers) checkReplayable(name, handler as AnyEventHandler);
  const wanted = wantedEvents(subscribers, options.events);
  const to = options.to ?? (await store.peek(tenant, thread)).head;
  const run = new Run(setting, subscribers, wanted, options.dryRun === true);
  const meter = new RebuildMeter(platform, from - 1);
  let position = from - 1;
  let pages = 0;
  let waiting: Waiting | undefined;
  while (position < to && !options.signal?.aborted) {
    const page: ReadResult = await store.read(tenant, position, Math.min(limit, to - position), waiting);
    const { commits, next } = page;
    pages++;
    for (const commit of commits) {
      if (commit.position > to || options.signal?.aborted) break;
      await run.hand(commit);
      position = commit.position;
    }
    if (options.signal?.aborted) break;
    // The last positions may be unused.
    if (page.waiting === undefined && next <= position && commits.length === 0) break;
    position = Math.max(position, Math.min(next, to));
    waiting = page.waiting;
    if (waiting !== undefined && position < to) await platform.sleep(LOOK_SOON, options.signal);
    options.onProgress?.(meter.read(run.handled, position, to));
  }
  const status = options.signal?.aborted ? "stopped" : "done";
  return { status, position, commits: run.commits, events: run.events, cost: { reads: run.commits + pages, writes: 0 } };
}

class Run {
  commits = 0;
  handled = 0;
  readonly events: Record<string, Record<string, number>> = {};
  readonly #setting: ThreadSetting;
  readonly #subscribers: readonly Subscriber[];
  readonly #wanted: ReadonlySet<string>;
  readonly #isDry: boolean;

  constructor(setting: ThreadSetting, subscribers: readonly Subscriber[], wanted: ReadonlySet<string>, isDry: boolean) {
    this.#setting = setting;
    this.#subscribers = subscribers;
    this.#wanted = wanted;
    this.#isDry = isDry;
    for (const { name } of subscribers) this.events[name] = {};
  }

  async hand(commit: PositionedCommit): Promise<void> {
    this.commits++;
    for (const [index, event] of commit.events.entries()) {
      if (!this.#wanted.has(event.name)) continue;
      for (const { name, handler } of this.#subscribers) {
        const handle = own(handler.events as Readonly<Record<string, EventFunction | undefined>>, event.name);
        if (handle === undefined) continue;
        if (!this.#isDry) await this.#call(name, handler, index, commit);
        const counts = this.events[name] as Record<string, number>;
        counts[event.name] = (own(counts, event.name) ?? 0) + 1;
        this.handled++;
      }
    }
  }

  async #call(name: string, handler: Subscriber["handler"], index: number, commit: PositionedCommit): Promise<void> {
    const { tenant, thread, upcasters } = this.#setting;
    const event = upcast(commit.events[index] as PositionedCommit["events"][number], upcasters.get(commit.type));
    try {
      const events = handler.events as Readonly<Record<string, EventFunction>>;
      await events[event.name]?.(tenant, event, commit, { thread, handler: name, index });
    } catch (cause) {
      const { position } = commit;
      const message = `${name} failed in a replay at position ${position}, event ${index} (${textOf(cause)}): fix the handler, and continue from there`;
      throw new Err("precondition", message, { handler: name, position, index, cause });
    }
  }
}

function checkReplayable(name: string, handler: AnyEventHandler): void {
  checkArgument(!("collection" in handler), "handlers", `${name} keeps views: rebuild it`);
  checkArgument(
    handler.replayable === true,
    "handlers",
    `${name} is not replayable: declare it so if it can handle old events again`,
  );
}

function wantedEvents(subscribers: readonly Subscriber[], names: readonly string[] | undefined): ReadonlySet<string> {
  const known = new Set(subscribers.flatMap(({ handler }) => Object.keys(handler.events)));
  for (const name of names ?? []) checkArgument(known.has(name), "events", `no handler handles ${name}: check its name`);
  return names === undefined ? known : new Set(names);
}
