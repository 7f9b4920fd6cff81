import type { PositionedCommit } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { checkInteger } from "../model/ids.ts";
import { type UpcasterMap, upcast } from "../model/upcast.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import { type Cursor, cursorIn, type ParkedEvent } from "../ports/threads.ts";
import { textOf } from "./failure-policy.ts";
import type { Progress } from "./progress.ts";
import { deliveryTo, type Subscriber } from "./subscriber.ts";
import { type HeldThread, withThread } from "./thread-lease.ts";

/** What an operator can do about a thread; each move leases the thread for a moment. */
export class Operator {
  readonly #store: IEventStore;
  readonly #platform: IPlatform;
  readonly #upcasters: ReadonlyMap<string, UpcasterMap>;

  constructor(store: IEventStore, platform: IPlatform, upcasters: ReadonlyMap<string, UpcasterMap>) {
    this.#store = store;
    this.#platform = platform;
    this.#upcasters = upcasters;
  }

  /** Lets a handler that failed or halted try again at once, with its attempts forgotten. */
  async resume(tenant: string, thread: string, handler: string): Promise<void> {
    await this.#onFailure(tenant, thread, handler, ({ failure, ...cursor }) => ({
      ...cursor,
      failure: { ...failure, attempts: 0, retryAt: 0, halted: false },
    }));
  }

  /** Passes over the event at which a handler stands; the reason is kept until the handler has moved on. */
  async skip(tenant: string, thread: string, handler: string, reason: string): Promise<void> {
    await this.#onFailure(tenant, thread, handler, ({ failure, ...cursor }) => ({
      ...cursor,
      failure: {
        ...failure,
        index: failure.index + 1,
        attempts: 0,
        retryAt: 0,
        halted: false,
        error: textOf(`skipped: ${reason}`),
      },
    }));
  }

  /** Moves a handler back to a position (0 = the start). A projection's views are deleted first, and it goes back to the start only. */
  async rewind(tenant: string, thread: string, subscriber: Subscriber, to: number): Promise<void> {
    checkInteger(to, "to", 0);
    const { name, collection } = subscriber;
    if (collection !== undefined && to !== 0)
      throw Err.invalidArgument("to", "a projection goes back to 0 only: its views begin anew");
    await withThread(this.#store, this.#platform, tenant, thread, async ({ cursors, progress }) => {
      const cursor = cursorIn({ cursors }, name);
      if (cursor === undefined) throw Err.notFound(`handler ${name} on thread ${thread}`);
      if (to > cursor.position) throw Err.invalidArgument("to", `it stands at ${cursor.position}: rewind moves back only`);
      const target: Cursor = collection === undefined ? { position: to } : { position: 0, collection, isClearing: true };
      progress.moveBack(name, target);
    });
  }

  /** Hands parked events to their handler again, the oldest first; those that succeed leave the dead letters. */
  async retryParked(tenant: string, thread: string, subscriber: Subscriber): Promise<{ retried: number; failed: number }> {
    return withThread(this.#store, this.#platform, tenant, thread, (held) => this.#retryAll(tenant, thread, subscriber, held));
  }

  async #retryAll(tenant: string, thread: string, subscriber: Subscriber, { lease, progress }: HeldThread) {
    const result = { retried: 0, failed: 0 };
    const delivery = deliveryTo(subscriber, tenant, (collection) => this.#store.views(tenant, collection), progress);
    for (let after: ParkedEvent | undefined, isLast = false; !isLast; ) {
      const page = await this.#store.parked(tenant, thread, { handler: subscriber.name, limit: 20, ...(after && { after }) });
      for (const parked of page.parked) {
        const commit = await this.#commitAt(tenant, parked.position);
        const isDone = commit !== undefined && (await this.#retry(delivery, commit, parked, progress));
        result[isDone ? "retried" : "failed"]++;
        after = parked;
      }
      isLast = page.next === undefined;
      if (!(await progress.store(this.#platform.now() + 30_000))) {
        throw Err.precondition(`thread ${lease.thread} was taken over meanwhile: try again`);
      }
    }
    return result;
  }

  async #retry(
    delivery: ReturnType<typeof deliveryTo>,
    commit: PositionedCommit,
    parked: ParkedEvent,
    progress: Progress,
  ): Promise<boolean> {
    const event = commit.events[parked.index];
    if (event === undefined || !delivery.handles(event.name)) return false;
    const upcasters = this.#upcasters.get(commit.type);
    await delivery.prepare([commit]);
    try {
      await delivery.handle(upcasters === undefined ? event : upcast(event, upcasters), commit);
    } catch (error) {
      progress.park({ ...parked, attempts: parked.attempts + 1, error: textOf(error) });
      return false;
    }
    progress.unpark({ handler: parked.handler, position: parked.position, index: parked.index });
    return true;
  }

  async #commitAt(tenant: string, position: number): Promise<PositionedCommit | undefined> {
    const { commits } = await this.#store.read(tenant, position - 1, 1);
    return commits[0]?.position === position ? commits[0] : undefined;
  }

  async #onFailure(
    tenant: string,
    thread: string,
    handler: string,
    move: (cursor: Cursor & { readonly failure: NonNullable<Cursor["failure"]> }) => Cursor,
  ): Promise<void> {
    await withThread(this.#store, this.#platform, tenant, thread, async ({ cursors, progress }) => {
      const cursor = cursorIn({ cursors }, handler);
      const failure = cursor?.failure;
      if (cursor === undefined || failure === undefined)
        throw Err.notFound(`a failure of handler ${handler} on thread ${thread}`);
      progress.move(handler, move({ ...cursor, failure }));
    });
  }
}
