import type { PositionedCommit } from "../model/commit.ts";
import { upcast } from "../model/upcast.ts";
import type { ReadResult } from "../ports/event-store.ts";
import type { Signal } from "../ports/platform.ts";
import type { Cursor } from "../ports/threads.ts";
import { type FullPolicy, failureOf } from "./failure-policy.ts";
import type { Progress } from "./progress.ts";
import { type Delivery, deliveryTo, type Subscriber } from "./subscriber.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** What one turn on a thread works with. */
export interface TurnSetting extends ThreadSetting {
  readonly policy: FullPolicy;
  /** How long the lease lasts from each store on, in ms. */
  readonly lease: number;
  readonly signal: Signal | undefined;
}

/** A handler and where it stands; `cursor` moves as the turn goes on. */
export interface Standing {
  readonly subscriber: Subscriber;
  cursor: Cursor;
}

/** How many views are deleted in one write. */
const VIEWS_A_PAGE = 80;

/** One holder's time with a thread: hands each handler its next commits, in order, and notes the progress. */
export class Turn {
  /** Events that their handlers finished. */
  handled = 0;
  /** Whether a handler finished a commit, or passed over unused positions. */
  hasMoved = false;
  /** Whether somebody else took the thread: what is not stored is lost, and nothing more may be done. */
  isFenced = false;
  readonly #setting: TurnSetting;
  readonly #progress: Progress;
  #storedAt: number;

  constructor(setting: TurnSetting, progress: Progress) {
    this.#setting = setting;
    this.#progress = progress;
    this.#storedAt = setting.platform.now();
  }

  /** Gives each standing at most `limit` commits; those that stand at the same place share one read. */
  async run(standings: readonly Standing[], limit: number): Promise<void> {
    const { store, tenant, signal } = this.#setting;
    const seen = this.#progress.waiting;
    const pages = new Map<number, ReadResult>();
    for (const standing of standings) {
      if (signal?.aborted || this.isFenced) return;
      if (!(await this.#begin(standing))) return;
      const after = standing.cursor.position;
      const page = pages.get(after) ?? (await store.read(tenant, after, limit, seen));
      pages.set(after, page);
      await this.#deliver(standing, page);
      this.#progress.waiting = page.waiting;
    }
  }

  /** Makes a new handler known to the thread, and finishes a rewind that is under way. */
  async #begin(standing: Standing): Promise<boolean> {
    const { isClearing, ...cursor } = standing.cursor;
    if (isClearing && cursor.collection !== undefined && !(await this.#clear(cursor.collection))) return false;
    this.#stand(standing, cursor);
    return true;
  }

  /** Deletes all of a projection's views, page by page; goes on where a crash left it. False = fenced. */
  async #clear(collection: string): Promise<boolean> {
    const { store, tenant } = this.#setting;
    for (;;) {
      const { views } = await store.views(tenant, collection).list({ limit: VIEWS_A_PAGE });
      if (views.length === 0) return true;
      for (const { id } of views) this.#progress.writeView(collection, id);
      if (!(await this.#storeProgress())) return false;
    }
  }

  async #deliver(standing: Standing, page: ReadResult): Promise<void> {
    const delivery = deliveryTo(standing.subscriber, this.#setting, this.#progress);
    await delivery.prepare(page.commits);
    for (const commit of page.commits) {
      if (this.#setting.signal?.aborted) return;
      if (!(await this.#deliverCommit(standing, delivery, commit))) return;
      this.#move(standing, commit.position);
      const isLeaseAging = this.#setting.platform.now() - this.#storedAt > this.#setting.lease / 3;
      if (isLeaseAging && !(await this.#storeProgress())) return;
    }
    if (page.next > standing.cursor.position) this.#move(standing, page.next);
  }

  /** False = the handler stands at one of the events, or the thread is lost. */
  async #deliverCommit(standing: Standing, delivery: Delivery, commit: PositionedCommit): Promise<boolean> {
    const upcasters = this.#setting.upcasters.get(commit.type);
    const { failure } = standing.cursor;
    const first = failure?.position === commit.position ? failure.index : 0;
    for (let index = first; index < commit.events.length; index++) {
      const event = commit.events[index];
      if (event === undefined || !delivery.handles(event.name)) continue;
      if (this.#progress.isFull && !(await this.#pauseAt(standing, commit.position, index))) return false;
      try {
        const handling = delivery.handle(upcast(event, upcasters), commit, index);
        if (handling !== undefined) await handling;
        this.handled++;
      } catch (error) {
        if (!this.#fail(standing, commit.position, index, event.name, error)) return false;
      }
      this.#setting.tracer?.trace(() => ({
        method: "handle",
        tenant: commit.tenant,
        thread: this.#setting.thread,
        handler: standing.subscriber.name,
        event: event.name,
        position: commit.position,
      }));
    }
    return true;
  }

  /** True = the event is parked, so the handler goes on. */
  #fail(standing: Standing, position: number, index: number, event: string, error: unknown): boolean {
    const { platform, policy, tracer, tenant, thread } = this.#setting;
    const { subscriber, cursor } = standing;
    const before = cursor.failure?.position === position && cursor.failure.index === index ? cursor.failure.attempts : 0;
    const failure = failureOf(policy, { position, index }, before, error, platform);
    tracer?.trace(() => ({ method: "error", tenant, thread, handler: subscriber.name, event, position, error }));
    if (!failure.halted || policy.onError === "halt") {
      this.#stand(standing, { ...cursor, failure });
      return false;
    }
    const { attempts, error: text } = failure;
    const parkedAt = platform.now();
    this.#progress.park({ handler: subscriber.name, position, index, event, attempts, error: text, parkedAt });
    return true;
  }

  #move(standing: Standing, position: number): void {
    const { collection } = standing.subscriber;
    this.hasMoved = true;
    this.#stand(standing, collection === undefined ? { position } : { position, collection });
  }

  #stand(standing: Standing, cursor: Cursor): void {
    standing.cursor = cursor;
    this.#progress.move(standing.subscriber.name, cursor);
  }

  /** Stores what there is in the middle of a commit; the cursor says how far into it. */
  async #pauseAt(standing: Standing, position: number, index: number): Promise<boolean> {
    const failure = { position, index, attempts: 0, retryAt: 0, halted: false, error: "" };
    this.#stand(standing, { ...standing.cursor, failure });
    return this.#storeProgress();
  }

  async #storeProgress(): Promise<boolean> {
    const now = this.#setting.platform.now();
    this.isFenced = !(await this.#progress.store(now + this.#setting.lease));
    this.#storedAt = now;
    return !this.isFenced;
  }
}
