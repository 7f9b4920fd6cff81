import { typeOf } from "../model/aggregate.ts";
import { checkArgument, checkInteger, checkLimit, checkWord } from "../model/arguments.ts";
import type { PositionedCommit } from "../model/commit.ts";
import { checkName } from "../model/ids.ts";
import type { AnyEventHandler } from "../ports/event-handler.ts";
import type { IEventStore } from "../ports/event-store.ts";
import { defaultPlatform, type Signal } from "../ports/platform.ts";
import { cursorIn, type ParkedKey, type ParkedPage } from "../ports/threads.ts";
import type { DeadLetter, Retried } from "./dead-letters.ts";
import type { Difference, DiffOptions } from "./diff.ts";
import { meetDue } from "./due.ts";
import { changedPolicy, type FullPolicy, policyOf } from "./failure-policy.ts";
import type { HandlerLag } from "./lag.ts";
import type { PollOptions, PollResult } from "./poll.ts";
import type { Keeper } from "./projection.ts";
import type { RunOptions, StreamReaderOptions } from "./reader-options.ts";
import type { RebuildOptions, Rebuilt } from "./rebuild.ts";
import type { Replayed, ReplayOptions } from "./replay.ts";
import { type AnyHandler, type Subscriber, subscribe } from "./subscriber.ts";
import type { ReaderTools, ThreadSetting } from "./thread-lease.ts";
import { ViewReader } from "./view-reader.ts";

/** Feeds handlers with a tenant's events: awaited, in order, each from its own cursor. */
export class StreamReader {
  readonly #tools: ReaderTools;
  readonly #policy: FullPolicy;

  /** @throws {Err} that names what is wrong with the store or an option. */
  constructor(store: IEventStore, options: StreamReaderOptions = {}) {
    checkArgument(typeof store?.peek === "function", "store", "give an event store");
    const { platform = defaultPlatform, tracer, aggregates = [] } = options;
    const upcasters = new Map(aggregates.map((Type) => [typeOf(Type), Type.upcasters ?? {}]));
    this.#tools = { store, platform, tracer, upcasters };
    this.#policy = policyOf(options);
  }

  /**
   * Hands each handler its next commits of a tenant, under a lease on the thread.
   *
   * A cursor never passes an event that its handler did not finish. A failing handler stops only itself; its attempts and its next retry are
   * stored. Handlers are called at least once for each event, projections exactly once. Cost: two reads where there is nothing to do;
   * else two writes, a read for each commit, and the views.
   * @throws {Err} for arguments that are wrong, before any read; `precondition` when a collection belongs to another handler;
   * `outdated` when a projection and its views have different versions; `store`.
   */
  async poll(tenant: string, thread: string, handlers: readonly AnyHandler[], options: PollOptions = {}): Promise<PollResult> {
    const setting = {
      ...this.#thread(tenant, thread),
      policy: changedPolicy(this.#policy, options),
      limit: checkLimit(options.limit),
      lease: checkInteger(options.lease ?? 30_000, "lease", 1_000, 15 * 60_000),
      signal: options.signal,
      from: checkWord(options.from ?? "start", "from", "start", "end"),
    };
    const subscribers = subscribe(handlers);
    const { pollOnce } = await import("./poll.ts");
    const { tracer, platform } = this.#tools;
    const since = tracer && platform.now();
    const result = await pollOnce(subscribers, setting);
    const { status, handled } = result;
    tracer?.trace(() => ({ method: "poll", tenant, thread, status, handled, ms: platform.now() - (since ?? 0) }));
    return result.status === "leased" || options.signal?.aborted ? result : meetDue(setting, subscribers, result);
  }

  /**
   * Polls tenants until the signal aborts, woken by the store's `watch` where there is one; fair between tenants.
   *
   * `all` includes tenants that are opened later. Store failures are traced and tried again; resolves once the running polls are stored.
   * @throws {Err} for arguments that are wrong, and for a collection that belongs to another handler.
   */
  async run(
    tenants: readonly string[] | "all",
    thread: string,
    handlers: readonly AnyHandler[],
    { concurrency, interval, ...options }: RunOptions,
  ): Promise<void> {
    subscribe(handlers);
    checkName(thread, "thread");
    if (tenants !== "all") for (const tenant of tenants) checkName(tenant, "tenant");
    const { runTenants } = await import("./runner.ts");
    await runTenants({
      ...this.#tools,
      tenants,
      signal: options.signal,
      concurrency: checkInteger(concurrency ?? 4, "concurrency", 1, 1_000),
      interval: checkInteger(interval ?? 1_000, "interval", 1),
      poll: (tenant) => this.poll(tenant, thread, handlers, options),
    });
  }

  /**
   * Waits until a handler (default: every handler that the thread knows) has finished everything up to a position; false after the
   * timeout (ms, default 5,000) or when the signal aborts. A thread that nobody has polled yet is not there.
   */
  async waitFor(
    tenant: string,
    thread: string,
    position: number,
    options: { readonly handler?: string; readonly timeout?: number; readonly signal?: Signal } = {},
  ): Promise<boolean> {
    const { store, platform } = this.#thread(tenant, thread);
    checkInteger(position, "position", 0);
    const end = platform.now() + checkInteger(options.timeout ?? 5_000, "timeout", 0);
    for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
      const { thread: state } = await store.peek(tenant, thread);
      const cursors = options.handler === undefined ? Object.values(state.cursors) : [cursorIn(state, options.handler)];
      if (cursors.length > 0 && cursors.every((cursor) => cursor !== undefined && cursor.position >= position)) return true;
      const left = end - platform.now();
      if (left <= 0 || options.signal?.aborted) return false;
      await platform.sleep(Math.min(pause, left), options.signal);
    }
  }

  /** Reads a projection's views of one tenant; always the live generation. */
  views<View extends object>(tenant: string, projection: Keeper<View>): ViewReader<View> {
    const collection = checkName(projection?.collection, "collection");
    checkName(tenant, "tenant");
    return new ViewReader((place) => this.#tools.store.views(tenant, place), collection);
  }

  /** How far each handler of a thread is behind, by its name. Cheap enough for every tenant: one peek, and as a rule at most one read. */
  async lag(tenant: string, thread: string): Promise<Readonly<Record<string, HandlerLag>>> {
    const { lagOf } = await import("./lag.ts");
    return lagOf(this.#thread(tenant, thread));
  }

  /**
   * Hands old events to replayable handlers of a thread again, in order, beside it: no cursor moves, and live events may come between.
   * @throws {Err} `invalid_argument` for a projection (rebuild it) and for a handler that is not replayable; `precondition` with the
   * position where a handler failed.
   */
  async replay(tenant: string, thread: string, handlers: readonly AnyEventHandler[], options?: ReplayOptions): Promise<Replayed> {
    const { replay } = await import("./replay.ts");
    return replay(this.#thread(tenant, thread), subscribe(handlers), options ?? {});
  }

  /** A tenant's commits after a position (0 = from the start) in order, at most `limit` (1 to 1,000); `next` is where to go on. */
  async read(
    tenant: string,
    after: number,
    limit?: number,
  ): Promise<{ readonly commits: readonly PositionedCommit[]; readonly next: number }> {
    checkName(tenant, "tenant");
    const { commits, next } = await this.#tools.store.read(tenant, checkInteger(after, "after", 0), checkLimit(limit));
    return { commits, next };
  }

  /** The events that handlers of a thread set aside; `next` is set when there is more. */
  async parked(
    tenant: string,
    thread: string,
    options: { readonly handler?: string; readonly after?: ParkedKey; readonly limit?: number } = {},
  ): Promise<ParkedPage> {
    const { store } = this.#thread(tenant, thread);
    return store.parked(tenant, thread, { ...options, limit: checkLimit(options.limit) });
  }

  /** Lets a handler that failed or halted try again at once. @throws {Err} `not_found` where it has no failure. */
  async resume(tenant: string, thread: string, handler: string): Promise<void> {
    const { resume } = await import("./operator.ts");
    await resume(this.#thread(tenant, thread), checkName(handler, "handler"));
  }

  /** Skips the event at which a handler is stopped. @throws {Err} `not_found` where it has no failure. */
  async skip(tenant: string, thread: string, handler: string, reason: string): Promise<void> {
    const { skip } = await import("./operator.ts");
    await skip(this.#thread(tenant, thread), checkName(handler, "handler"), reason);
  }

  /**
   * Moves a handler back: to a position (default 0, the start), after which it gets everything again. A projection can only go back to 0; its
   * views are deleted by the next poll and built anew. @throws {Err} `not_found` where the thread does not know the handler; `precondition`
   * while the generation to roll back to has dead letters.
   */
  async rewind(tenant: string, thread: string, handler: AnyHandler, to = 0): Promise<void> {
    const { rewind } = await import("./operator.ts");
    await rewind(this.#thread(tenant, thread), one(handler), to);
  }

  /**
   * Hands a handler its parked events again, the oldest first, but after later events that it has handled: all that wait, or the one
   * that `key` names. @throws {Err} `not_found` where that one is not parked.
   */
  async retryParked(tenant: string, thread: string, handler: AnyHandler, key?: Omit<ParkedKey, "handler">): Promise<Retried> {
    const { retryParked } = await import("./dead-letters.ts");
    return retryParked(this.#thread(tenant, thread), one(handler), key);
  }

  /** One parked event with its payload and its commit. @throws {Err} `not_found` where it is not parked. */
  async inspectParked(tenant: string, thread: string, key: ParkedKey): Promise<DeadLetter> {
    const { inspectParked } = await import("./dead-letters.ts");
    return inspectParked(this.#thread(tenant, thread), key);
  }

  /** Skips a parked event for good; it stays listed, with the reason. @throws {Err} `not_found` where it is not parked. */
  async skipParked(tenant: string, thread: string, key: ParkedKey, reason: string): Promise<void> {
    const { skipParked } = await import("./dead-letters.ts");
    await skipParked(this.#thread(tenant, thread), key, reason);
  }

  /**
   * Builds a projection's views anew beside the live ones, catches up, and switches readers over in one write; goes on where an earlier
   * call stopped. The live projection works until the switch; its views stay, for `rollback`, until the next rebuild or `discard`.
   * @throws {Err} `precondition` at an event at which the projection fails, or when another rebuild took over; `not_found` for an unknown projection.
   */
  async rebuild(tenant: string, thread: string, projection: AnyHandler, options: RebuildOptions = {}): Promise<Rebuilt> {
    const { rebuild, siteOf } = await import("./rebuild.ts");
    const { signal } = options;
    return rebuild(siteOf({ ...this.#thread(tenant, thread), signal }, one(projection)), options);
  }

  /**
   * Switches readers back to the views that were live before the last switch, after these have caught up. Pass the
   * projection in the version that made them. @throws {Err} `not_found` where there are none; `outdated` for another version.
   */
  async rollback(tenant: string, thread: string, projection: AnyHandler, options: RebuildOptions = {}): Promise<Rebuilt> {
    const { rollback, siteOf } = await import("./rebuild.ts");
    const { signal } = options;
    return rollback(siteOf({ ...this.#thread(tenant, thread), signal }, one(projection)), options);
  }

  /** Deletes the views of a projection that are not live: those to roll back to, or those of a rebuild under way. */
  async discard(tenant: string, thread: string, projection: AnyHandler): Promise<void> {
    const { discard, siteOf } = await import("./rebuild.ts");
    await discard(siteOf(this.#thread(tenant, thread), one(projection)));
  }

  /** Compares the views that are not live (of a rebuild with `hold`, or those to roll back to) with the live ones. Reads all of both. */
  async diff(tenant: string, thread: string, projection: AnyHandler, options: DiffOptions = {}): Promise<Difference> {
    const { diff, siteOf } = await import("./diff.ts");
    return diff(siteOf(this.#thread(tenant, thread), one(projection)), options);
  }

  /**
   * Forgets a handler that is no longer used, by its name: its cursor, its dead letters and, of a projection, all views; its collection is
   * free then. Whoever still polls it begins anew. Repeatable. @throws {Err} `not_found` where the thread does not know the handler.
   */
  async forget(tenant: string, thread: string, handler: string): Promise<void> {
    const { forget } = await import("./forget.ts");
    await forget(this.#thread(tenant, thread), checkName(handler, "handler"));
  }

  #thread(tenant: string, thread: string): ThreadSetting {
    return { ...this.#tools, tenant: checkName(tenant, "tenant"), thread: checkName(thread, "thread") };
  }
}

function one(handler: AnyHandler): Subscriber {
  return subscribe([handler])[0] as Subscriber;
}
