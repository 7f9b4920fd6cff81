import { Err } from "../model/errors.ts";
import type { Encoded, JsonObject } from "../model/json.ts";
import { MAX_VIEW_BYTES } from "../model/view.ts";
import {
  type Cursor,
  type Lease,
  MAX_CURSOR_BYTES,
  MAX_CURSOR_WRITES,
  type ParkedEvent,
  type ParkedKey,
  type ThreadState,
  type Waiting,
} from "../ports/threads.ts";
import type { ViewWrite } from "../ports/views.ts";
import type { ThreadSetting } from "./thread-lease.ts";

const nothing = () => ({
  cursors: {} as Record<string, Cursor>,
  rewound: [] as string[],
  claims: [] as { readonly collection: string; readonly handler: string }[],
  forgotten: [] as { readonly handler: string; readonly collections: readonly string[] }[],
  park: [] as ParkedEvent[],
  unpark: [] as ParkedKey[],
  views: new Map<string, { readonly write: ViewWrite; readonly bytes: number }>(),
  viewBytes: 0,
});

/** What handlers did under one lease and is not stored yet; stored as a whole, or not at all. */
export class Progress {
  readonly #setting: ThreadSetting;
  readonly #lease: Lease;
  /** Collections that their handlers own already, as `handler/collection`. */
  readonly #claimed: Set<string>;
  #unstored = nothing();
  /** The place that the reader waits for; stored with the rest. */
  waiting: Waiting | undefined;

  /** `state` is the thread as it was when it was leased. */
  constructor(setting: ThreadSetting, lease: Lease, { cursors, waiting }: ThreadState) {
    this.#setting = setting;
    this.#lease = lease;
    this.waiting = waiting;
    this.#claimed = new Set(Object.entries(cursors).map(([handler, { collection }]) => `${handler}/${collection}`));
  }

  /** Whether one more event might not fit into the same write: it can change one view and park one event. */
  get isFull(): boolean {
    const { views, viewBytes, park, unpark } = this.#unstored;
    return views.size + park.length + unpark.length + 2 > MAX_CURSOR_WRITES || viewBytes > MAX_CURSOR_BYTES - MAX_VIEW_BYTES;
  }

  move(handler: string, cursor: Cursor): void {
    this.#unstored.cursors[handler] = cursor;
  }

  /** Moves a cursor back: an operator's rewind. */
  moveBack(handler: string, cursor: Cursor): void {
    this.#unstored.rewound.push(handler);
    this.move(handler, cursor);
  }

  /** Queues a view's new value; without one its deletion. */
  writeView(collection: string, id: string, encoded?: Encoded<JsonObject>): void {
    const key = `${collection}/${id}`;
    const bytes = encoded?.bytes ?? 0;
    const { views } = this.#unstored;
    this.#unstored.viewBytes += bytes - (views.get(key)?.bytes ?? 0);
    views.set(key, { write: { collection, id, ...(encoded && { value: encoded.value }) }, bytes });
  }

  park(event: ParkedEvent): void {
    this.#unstored.park.push(event);
  }

  unpark(key: ParkedKey): void {
    this.#unstored.unpark.push(key);
  }

  /**
   * Stores everything and sets the lease's end (ms since 1970; 0 releases it). False = fenced: nothing was stored, and nothing can be.
   * @throws {Err} `precondition` when a collection belongs to another thread or handler; then the lease is released.
   */
  async store(leasedUntil: number): Promise<boolean> {
    const { viewBytes: _, views, ...unstored } = this.#unstored;
    const begun = Object.entries(unstored.cursors).flatMap(([handler, { collection }]) =>
      collection === undefined || this.#claimed.has(`${handler}/${collection}`) ? [] : [{ collection, handler }],
    );
    const claims = [...begun, ...unstored.claims];
    const outcome = await this.#setting.store.commitCursors(this.#lease, {
      ...unstored,
      claims,
      views: Array.from(views.values(), ({ write }) => write),
      leasedUntil,
      ...(this.waiting && { waiting: this.waiting }),
    });
    const { tenant, thread } = this.#lease;
    this.#setting.tracer?.trace(() => ({ method: "commitCursors", tenant, thread, status: outcome.status }));
    if (outcome.status === "owned") {
      await this.drop();
      const { collection, thread, handler } = outcome;
      throw Err.precondition(
        `collection ${collection} belongs to ${handler} on thread ${thread}: give this projection another collection`,
      );
    }
    this.#unstored = nothing();
    for (const { collection, handler } of claims) this.#claimed.add(`${handler}/${collection}`);
    return outcome.status === "committed";
  }

  /** Takes a collection for a handler, with what is stored next. */
  claim(handler: string, collection: string): void {
    this.#unstored.claims.push({ collection, handler });
  }

  /** Makes the thread forget a handler, and gives up collections that have no views any more. */
  forget(handler: string, collections: readonly string[]): void {
    delete this.#unstored.cursors[handler];
    this.#unstored.forgotten.push({ handler, collections });
  }

  /** Releases the lease without storing anything. */
  async drop(): Promise<void> {
    this.#unstored = nothing();
    await this.store(0);
  }
}
