import type { PositionedCommit } from "../model/commit.ts";
import { upcast } from "../model/upcast.ts";
import type { ReadResult } from "../ports/event-store.ts";
import type { Signal } from "../ports/platform.ts";
import type { Cursor } from "../ports/threads.ts";
import { type Delivery, deliveryTo } from "./delivery.ts";
import { type FullPolicy, failureAt, failureOf, stackOf } from "./failure-policy.ts";
import { aggregateKey, aggregateOf, heldAggregates } from "./held-aggregates.ts";
import type { KnownViews } from "./known-views.ts";
import type { Progress } from "./progress.ts";
import type { Subscriber } from "./subscriber.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** What one turn on a thread works with. */
export interface TurnSetting extends ThreadSetting {
  readonly policy: FullPolicy;
  /** How long the lease lasts from each store on, in ms. */
  readonly lease: number;
  readonly signal: Signal | undefined;
  /** The views that a holder of several turns has in mind. */
  readonly known?: KnownViews;
}

/** A handler and where it stands; `cursor` moves as the turn goes on. */
export interface Standing {
  readonly subscriber: Subscriber;
  cursor: Cursor;
  /** The aggregates whose events wait for a parked one, where the policy asks for it. */
  held?: Set<string>;
}

/** One holder's time with a thread: hands each handler its next commits, in order, and notes the progress. */
export class Turn {
  /** Events that their handlers finished. */
  handled = 0;
  /** Whether a handler finished a commit, or passed over unused positions. */
  hasMoved = false;
  /** Whether somebody else took the thread: what is not stored is lost, and nothing more may be done. */
  isFenced = false;
  readonly setting: TurnSetting;
  readonly progress: Progress;
  /** When the progress was last stored, in ms since 1970. */
  storedAt: number;

  constructor(setting: TurnSetting, progress: Progress) {
    this.setting = setting;
    this.progress = progress;
    this.storedAt = setting.platform.now();
  }

  /** Gives each standing at most `limit` commits; those that stand at the same place share one read. */
  async run(standings: readonly Standing[], limit: number): Promise<void> {
    const { store, tenant, signal } = this.setting;
    const seen = this.progress.waiting;
    const pages = new Map<number, ReadResult>();
    for (const standing of standings) {
      if (signal?.aborted || this.isFenced) return;
      if (!(await this.begin(standing))) return;
      const after = standing.cursor.position;
      const page = pages.get(after) ?? (await store.read(tenant, after, limit, seen));
      pages.set(after, page);
      await this.#deliver(standing, page);
      // A handler that is far behind does not come to the place that the others wait for, and tells nothing of it.
      if (page.waiting !== undefined || page.next >= (this.progress.waiting?.position ?? 0)) this.progress.waiting = page.waiting;
    }
  }

  /** Makes a new handler known to the thread, and finishes a rewind that is under way. False = fenced. */
  async begin(standing: Standing): Promise<boolean> {
    const { isClearing, ...cursor } = standing.cursor;
    if (isClearing) {
      const { clearViews } = await import("./clear-views.ts");
      if (!(await clearViews(this, standing))) return false;
    }
    this.stand(standing, cursor);
    if (this.setting.policy.park === "aggregate") await this.#hold(standing);
    return true;
  }

  async #hold(standing: Standing): Promise<void> {
    const { isParking, ...cursor } = standing.cursor;
    standing.held = isParking
      ? await heldAggregates(this.setting, standing.subscriber.name, cursor.generation)
      : new Set<string>();
    if (standing.held.size === 0) this.stand(standing, cursor);
  }

  async #deliver(standing: Standing, page: ReadResult): Promise<void> {
    const { subscriber, cursor } = standing;
    const { handler } = subscriber;
    if ("batch" in handler && handler.batch !== undefined) {
      const { deliverInBatches } = await import("./batches.ts");
      return deliverInBatches(this, standing, page);
    }
    const delivery = deliveryTo(subscriber, this.setting, this.progress, cursor.generation, this.setting.known);
    await delivery.prepare(page.commits);
    for (const commit of page.commits) {
      if (this.setting.signal?.aborted) return;
      if (!(await this.#deliverCommit(standing, delivery, commit))) return;
      this.move(standing, commit.position);
      const isLeaseAging = this.setting.platform.now() - this.storedAt > this.setting.lease / 3;
      if (isLeaseAging && !(await this.storeProgress())) return;
    }
    if (page.next > standing.cursor.position) this.move(standing, page.next);
  }

  /** False = the handler stands at one of the events, or the thread is lost. */
  async #deliverCommit(standing: Standing, delivery: Delivery, commit: PositionedCommit): Promise<boolean> {
    const upcasters = this.setting.upcasters.get(commit.type);
    const { failure } = standing.cursor;
    const first = failure?.position === commit.position ? failure.index : 0;
    for (let index = first; index < commit.events.length; index++) {
      const event = commit.events[index];
      if (event === undefined || !delivery.handles(event.name)) continue;
      if (this.progress.isFull && !(await this.#pauseAt(standing, commit.position, index))) return false;
      if (standing.held !== undefined && this.isHeld(standing, commit)) {
        this.parkBehind(standing, commit, index);
        continue;
      }
      const since = this.clock();
      try {
        const handling = delivery.handle(upcast(event, upcasters), commit, index);
        if (handling !== undefined) await handling;
        this.handled++;
      } catch (error) {
        this.traceHandled(standing, event.name, commit, since, "failed");
        if (!this.fail(standing, commit, index, error)) return false;
        continue;
      }
      this.traceHandled(standing, event.name, commit, since);
    }
    return true;
  }

  /** The time, in ms since 1970, where somebody traces. */
  clock(): number | undefined {
    const { tracer, platform } = this.setting;
    return tracer && platform.now();
  }

  /** `since` is when the handler began, by `clock`. */
  traceHandled(standing: Standing, event: string, commit: PositionedCommit, since = 0, outcome?: "failed"): void {
    // The closure in a method of its own: what it takes along is a fifth of a replay's event, also where nobody traces.
    if (this.setting.tracer !== undefined) this.#tellHandled(standing, event, commit, since, outcome);
  }

  #tellHandled({ subscriber }: Standing, event: string, commit: PositionedCommit, since: number, outcome?: "failed"): void {
    const { tracer, thread, platform } = this.setting;
    const { tenant, position, commitId, correlationId } = commit;
    tracer?.trace(() => ({
      method: "handle",
      tenant,
      thread,
      handler: subscriber.name,
      event,
      position,
      correlationId,
      causationId: commitId,
      outcome,
      ms: platform.now() - since,
    }));
  }

  /** True = the event is parked, so the handler goes on. */
  fail(standing: Standing, commit: PositionedCommit, index: number, error: unknown): boolean {
    const { policy, tracer, tenant, thread } = this.setting;
    const { subscriber, cursor } = standing;
    const { position, events } = commit;
    const before = failureAt(cursor, position, index).attempts;
    const failure = failureOf(this.setting, { position, index }, before, error);
    const event = events[index]?.name;
    if (failure.attempts > before)
      tracer?.trace(() => ({ method: "error", tenant, thread, handler: subscriber.name, event, position, error }));
    if (!failure.halted || policy.onError === "halt") {
      this.stand(standing, { ...cursor, failure });
      return false;
    }
    this.#park(standing, commit, index, failure.attempts, { error: failure.error, ...stackOf(error) });
    return true;
  }

  /** Whether the events of this commit's aggregate wait for a parked one. */
  isHeld({ held }: Standing, commit: PositionedCommit): boolean {
    return held?.has(aggregateKey(aggregateOf(commit)) as string) === true;
  }

  parkBehind(standing: Standing, commit: PositionedCommit, index: number): void {
    this.#park(standing, commit, index, 0, { error: "waits for an earlier event of its aggregate" });
  }

  #park(
    standing: Standing,
    commit: PositionedCommit,
    index: number,
    attempts: number,
    why: { readonly error: string; readonly stack?: string },
  ): void {
    const { platform, tracer, tenant, thread } = this.setting;
    const { subscriber, cursor } = standing;
    const event = commit.events[index]?.name ?? "";
    const place = { handler: subscriber.name, position: commit.position, index };
    const aggregate = aggregateOf(commit);
    const { generation } = cursor;
    this.progress.park({
      ...place,
      event,
      attempts,
      ...why,
      parkedAt: platform.now(),
      aggregate,
      ...(generation && { generation }),
    });
    standing.held?.add(aggregateKey(aggregate) as string);
    standing.cursor = { ...cursor, isParking: true };
    tracer?.trace(() => ({ method: "park", tenant, thread, ...place, event, attempts }));
  }

  /** Moves on, and leaves behind what was only of the place before. */
  move(standing: Standing, position: number): void {
    this.hasMoved = true;
    let { cursor } = standing;
    if (cursor.failure !== undefined) {
      const { failure: _, ...rest } = cursor;
      cursor = rest;
    }
    this.stand(standing, { ...cursor, position });
  }

  stand(standing: Standing, cursor: Cursor): void {
    standing.cursor = cursor;
    this.progress.move(standing.subscriber.name, cursor);
  }

  /** Stores what there is in the middle of a commit; the cursor says how far into it. */
  async #pauseAt(standing: Standing, position: number, index: number): Promise<boolean> {
    this.stand(standing, { ...standing.cursor, failure: failureAt(standing.cursor, position, index) });
    return this.storeProgress();
  }

  /** Writes the cursors, and the views that they stand for, in one transaction, and renews the lease. False = fenced. */
  async storeProgress(): Promise<boolean> {
    const now = this.setting.platform.now();
    this.isFenced = !(await this.progress.store(now + this.setting.lease));
    this.storedAt = now;
    return !this.isFenced;
  }
}
