import { type EventStream, encodeEvent } from "./event-stream.ts";
import { allOf, type Change, type Collection, changedBetween, changesOf } from "./event-stream-changes.ts";
import { endOf, idOf, isSame, type Place, placeIn } from "./event-stream-place.ts";

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
  #isBusy = false;
  #lastId: string | undefined;
  /** What its client has; undefined = begin anew. */
  #at: Told | undefined;

  constructor(stream: EventStream, only: string | undefined, lastId: string | undefined) {
    this.stream = stream;
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
    const all = this.only === undefined ? allOf(collection, told.viewsIn) : changesOf(collection, told.viewsIn, [this.only]);
    if (!(await this.#send(encodeEvent("reset", "", {})))) return;
    for await (const changes of all) {
      for (const change of changes) {
        const isThere = change.value !== undefined;
        if (isThere && !(await this.#send(encodeChange(change, "")))) return;
      }
    }
    this.#at = told;
  }

  async #sendChanges(collection: Collection, from: Told, told: Told): Promise<void> {
    const changed = await changedBetween(collection, from.place.position, endOf(told.place));
    if (changed === undefined) {
      this.#at = undefined;
      return;
    }
    const ids = this.only === undefined ? changed : changed.filter((id) => id === this.only);
    const eventId = idOf(from.place.position, from.mark);
    for await (const changes of changesOf(collection, told.viewsIn, ids)) {
      for (const change of changes) if (!(await this.#send(encodeChange(change, eventId)))) return;
    }
    this.#at = told;
  }

  async #send(chunk: Uint8Array): Promise<boolean> {
    return (await this.stream.room()) && this.stream.send(chunk);
  }
}
