import { Err } from "../model/errors.ts";
import type { Encoded, JsonObject } from "../model/json.ts";
import { MAX_VIEW_BYTES } from "../model/view.ts";
import type { IEventStore } from "../ports/event-store.ts";
import {
  type Cursor,
  type Lease,
  MAX_CURSOR_BYTES,
  MAX_CURSOR_WRITES,
  type ParkedEvent,
  type ParkedKey,
  type Waiting,
} from "../ports/threads.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { ViewWrite } from "../ports/views.ts";

/** What handlers did under one lease and is not stored yet; stored as a whole, or not at all. */
export class Progress {
  readonly #store: IEventStore;
  readonly #lease: Lease;
  readonly #tracer: ITracer | undefined;
  /** Collections that their handlers own already, as `handler/collection`. */
  readonly #claimed: Set<string>;
  #cursors: Record<string, Cursor> = {};
  #rewound: string[] = [];
  #views = new Map<string, { readonly write: ViewWrite; readonly bytes: number }>();
  #viewBytes = 0;
  #parked: ParkedEvent[] = [];
  #unparked: ParkedKey[] = [];
  #waiting: Waiting | undefined;

  constructor(
    store: IEventStore,
    lease: Lease,
    cursors: Readonly<Record<string, Cursor>>,
    waiting: Waiting | undefined,
    tracer?: ITracer,
  ) {
    this.#store = store;
    this.#tracer = tracer;
    this.#lease = lease;
    this.#waiting = waiting;
    this.#claimed = new Set(Object.entries(cursors).map(([handler, { collection }]) => `${handler}/${collection}`));
  }

  /** Whether one more event might not fit into the same write: it can change one view and park one event. */
  get isFull(): boolean {
    const writes = this.#views.size + this.#parked.length + this.#unparked.length;
    return writes + 2 > MAX_CURSOR_WRITES || this.#viewBytes > MAX_CURSOR_BYTES - MAX_VIEW_BYTES;
  }

  move(handler: string, cursor: Cursor): void {
    this.#cursors[handler] = cursor;
  }

  /** Moves a cursor back: an operator's rewind. */
  moveBack(handler: string, cursor: Cursor): void {
    this.#rewound.push(handler);
    this.move(handler, cursor);
  }

  /** Queues a view's new value; without one its deletion. */
  writeView(collection: string, id: string, encoded?: Encoded<JsonObject>): void {
    const key = `${collection}/${id}`;
    const bytes = encoded?.bytes ?? 0;
    this.#viewBytes += bytes - (this.#views.get(key)?.bytes ?? 0);
    this.#views.set(key, { write: encoded === undefined ? { collection, id } : { collection, id, value: encoded.value }, bytes });
  }

  park(event: ParkedEvent): void {
    this.#parked.push(event);
  }

  unpark(key: ParkedKey): void {
    this.#unparked.push(key);
  }

  /** Notes the place that a reader waits for; undefined = none any more. */
  wait(waiting: Waiting | undefined): void {
    this.#waiting = waiting;
  }

  /**
   * Stores everything and sets the lease's end (ms since 1970; 0 releases it). False = fenced: nothing was stored, and nothing can be.
   * @throws {Err} `precondition` when a collection belongs to another thread or handler; then the lease is released.
   */
  async store(leasedUntil: number): Promise<boolean> {
    const claims = Object.entries(this.#cursors).flatMap(([handler, { collection }]) =>
      collection === undefined || this.#claimed.has(`${handler}/${collection}`) ? [] : [{ collection, handler }],
    );
    const outcome = await this.#store.commitCursors(this.#lease, {
      cursors: this.#cursors,
      leasedUntil,
      ...(this.#waiting && { waiting: this.#waiting }),
      ...(this.#rewound.length > 0 && { rewound: this.#rewound }),
      ...(claims.length > 0 && { claims }),
      ...(this.#views.size > 0 && { views: Array.from(this.#views.values(), ({ write }) => write) }),
      ...(this.#parked.length > 0 && { park: this.#parked }),
      ...(this.#unparked.length > 0 && { unpark: this.#unparked }),
    });
    const { tenant, thread } = this.#lease;
    this.#tracer?.trace(() => ({ method: "commitCursors", tenant, thread, status: outcome.status }));
    this.#clear();
    if (outcome.status === "owned") {
      await this.#store.commitCursors(this.#lease, { cursors: {}, leasedUntil: 0 });
      const { collection, thread, handler } = outcome;
      throw Err.precondition(
        `collection ${collection} belongs to ${handler} on thread ${thread}: give this projection another collection`,
      );
    }
    for (const { collection, handler } of claims) this.#claimed.add(`${handler}/${collection}`);
    return outcome.status === "committed";
  }

  #clear(): void {
    this.#cursors = {};
    this.#rewound = [];
    this.#views = new Map();
    this.#viewBytes = 0;
    this.#parked = [];
    this.#unparked = [];
  }
}
