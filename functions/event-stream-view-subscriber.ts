import { type EventStream, encodeEvent } from "./event-stream.ts";
import { type Change, type Collection, changedBetween, changesIn } from "./event-stream-changes.ts";
import { StreamPages } from "./event-stream-pages.ts";
import { endOf, idOf, isSame, type Place, placeIn } from "./event-stream-place.ts";
import type { FairQueue } from "./fair-queue.ts";

/** What a stream of views is about. */
export interface ViewInterest {
  readonly tenant: string;
  readonly collection: string;
  /** One view only; undefined = all of the collection. */
  readonly only: string | undefined;
  /** The `Last-Event-ID` of a client that comes back. */
  readonly lastId: string | undefined;
}

/** What a collection's streams are told now. */
export interface Told {
  readonly place: Place;
  /** Where the views are kept: the live generation of the collection. */
  readonly viewsIn: string;
  readonly mark: string;
  /** Grows when all streams must begin anew. */
  readonly generation: number;
}

/** An event for one view: its value, or that it is gone. */
export function encodeChange({ id, value }: Change, eventId: string): Uint8Array {
  return encodeEvent("view", eventId, value === undefined ? { id, deleted: true } : { id, value });
}

/** The event after which a client has everything up to its position. */
export function encodeCaughtUp({ place, mark }: Told): Uint8Array {
  return encodeEvent("caught-up", idOf(place.position, mark), { position: place.position });
}

/** One stream of a collection: catches up by itself and at its client's pace, then lives on what all streams are told. */
export class ViewSubscriber {
  readonly stream: EventStream;
  /** The one view that it wants; undefined = all. */
  readonly only: string | undefined;
  isLive = false;
  readonly #pages: StreamPages;
  #isBusy = false;
  #lastId: string | undefined;
  /** What its client has; undefined = begin anew. */
  #at: Told | undefined;

  constructor(stream: EventStream, turns: FairQueue, { tenant, only, lastId }: ViewInterest) {
    this.stream = stream;
    this.#pages = new StreamPages(stream, turns, tenant);
    this.only = only;
    this.#lastId = lastId;
  }

  /** Sends what everybody is told; where the client does not read, it stands still from `before` on, and catches up later. */
  tell(chunk: Uint8Array, before: Told): void {
    if (this.isLive && !this.stream.send(chunk)) this.standStill(before);
  }

  /** Takes the stream out of the live ones. */
  standStill(at: Told): void {
    if (this.isLive) this.#at = at;
    this.isLive = false;
  }

  /** Brings the client up to `now()`, or begins anew where that is not possible; does nothing while it is at it. */
  async catchUp(collection: Collection, now: () => Told | undefined): Promise<void> {
    if (this.isLive || this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (await this.stream.room()) {
        const told = now();
        if (told === undefined) return;
        this.#resume(told);
        if (this.#at?.generation !== told.generation) await this.#sendAll(collection, told);
        else if (!isSame(this.#at.place, told.place)) await this.#sendChanges(collection, this.#at, told);
        else if (this.stream.send(encodeCaughtUp(told))) {
          this.isLive = true;
          return;
        }
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Begins where the client's last event says, if that can be told from here. */
  #resume(told: Told): void {
    const position = placeIn(this.#lastId, told.mark);
    this.#lastId = undefined;
    if (position === undefined || position > told.place.position) return;
    this.#at = { ...told, place: { position, inside: "" } };
  }

  async #sendAll(collection: Collection, told: Told): Promise<void> {
    this.#at = undefined;
    if (!this.stream.send(encodeEvent("reset", "", {}))) return;
    const isSent =
      this.only === undefined
        ? await this.#sendList(collection, told)
        : await this.#sendViews(collection, told, [this.only], (one) =>
            one.value === undefined ? undefined : encodeChange(one, ""),
          );
    if (isSent) this.#at = told;
  }

  /** Every view, in the order of their ids; false where the stream was over before. */
  async #sendList({ store, tenant }: Collection, { viewsIn }: Told): Promise<boolean> {
    const views = store.views(tenant, viewsIn);
    let isLast = false;
    for (let after: string | undefined; !isLast; ) {
      const isOn = await this.#pages.turn(async (limit) => {
        const page = await views.list({ limit, ...(after !== undefined && { after }) });
        this.#pages.send(
          page.views,
          (view) => encodeChange(view, ""),
          ({ id }) => {
            after = id;
          },
        );
        if (page.views.length > 0 && after !== page.views.at(-1)?.id) return;
        isLast = page.next === undefined;
        after = page.next ?? after;
      });
      if (!isOn) return false;
    }
    return true;
  }

  async #sendChanges(collection: Collection, from: Told, told: Told): Promise<void> {
    let changed: readonly string[] | undefined;
    const isOn = await this.#pages.turn(async () => {
      changed = await changedBetween(collection, from.place.position, endOf(told.place));
    });
    if (!isOn) return;
    if (changed === undefined) {
      this.#at = undefined;
      return;
    }
    const ids = this.only === undefined ? changed : changed.filter((id) => id === this.only);
    const eventId = idOf(from.place.position, from.mark);
    if (await this.#sendViews(collection, told, ids, (change) => encodeChange(change, eventId))) this.#at = told;
  }

  /** The views with these ids, or that they are gone; false where the stream was over before. */
  async #sendViews(
    { store, tenant }: Collection,
    { viewsIn }: Told,
    ids: readonly string[],
    encode: (change: Change) => Uint8Array | undefined,
  ): Promise<boolean> {
    const views = store.views(tenant, viewsIn);
    for (let start = 0; start < ids.length; ) {
      const isOn = await this.#pages.turn(async (limit) => {
        const changes = await changesIn(views, ids.slice(start, start + limit));
        this.#pages.send(changes, encode, () => {
          start++;
        });
      });
      if (!isOn) return false;
    }
    return true;
  }
}
