import type { Cursor } from "../core/index.ts";
import { type Collection, changedBetween, changesOf } from "./event-stream-changes.ts";
import { endOf, idOf, isSame, lifeOf, markOf, placeOf } from "./event-stream-place.ts";
import { encodeCaughtUp, encodeChange, type Told, type ViewSubscriber } from "./event-stream-view-subscriber.ts";

/** One collection of one tenant and all its streams: what changed is looked up once, whatever their number. */
export class CollectionFeed {
  readonly subscribers = new Set<ViewSubscriber>();
  readonly #collection: Collection;
  readonly #release: string;
  /** What the live streams were told; undefined while nobody can join them, as while a rewind deletes the views. */
  #told: Told | undefined;
  #generation = 0;

  constructor(collection: Collection, release: string) {
    this.#collection = collection;
    this.#release = release;
  }

  /** Tells the streams what changed up to where the keeper stands now. */
  async advance(cursor: Cursor | undefined): Promise<void> {
    const place = placeOf(cursor);
    const told = this.#told;
    if (cursor?.isClearing) this.#beginAnew();
    else if (told === undefined || place.position < told.place.position) {
      this.#beginAnew();
      this.#told = { place, mark: await this.#mark(), generation: this.#generation };
    } else if (!isSame(place, told.place)) await this.#tell(told, { ...told, place });
  }

  /** Lets those that are not live catch up, each at its own pace; `failed` hears what stopped one. */
  catchUp(failed: (subscriber: ViewSubscriber, error: unknown) => void): void {
    for (const subscriber of this.subscribers) {
      subscriber.catchUp(this.#collection, () => this.#told).catch((error: unknown) => failed(subscriber, error));
    }
  }

  async #tell(before: Told, now: Told): Promise<void> {
    if (this.#hasLive()) {
      // Nobody joins the live ones meanwhile, so whoever is live hears all of it.
      this.#told = undefined;
      await this.#tellChanges(before, now);
    }
    this.#told = now;
  }

  /** A page at a time, so that no more than a page is held for all the streams together. */
  async #tellChanges(before: Told, now: Told): Promise<void> {
    const upTo = endOf(now.place);
    const ids = await changedBetween(this.#collection, before.place.position, upTo);
    const live = [...this.subscribers].filter(({ isLive }) => isLive);
    if (ids === undefined) {
      for (const subscriber of live) subscriber.standStill(before);
      return;
    }
    const eventId = idOf(before.place.position, before.mark);
    const told = new Set<ViewSubscriber>();
    for await (const changes of changesOf(this.#collection, ids)) {
      for (const change of changes) {
        const chunk = encodeChange(change, eventId);
        for (const subscriber of live) {
          if (subscriber.only !== undefined && subscriber.only !== change.id) continue;
          subscriber.tell(chunk, before);
          told.add(subscriber);
        }
      }
    }
    const caughtUp = encodeCaughtUp(now);
    for (const subscriber of told) subscriber.tell(caughtUp, before);
  }

  #hasLive(): boolean {
    for (const { isLive } of this.subscribers) if (isLive) return true;
    return false;
  }

  #beginAnew(): void {
    this.#told = undefined;
    this.#generation++;
    for (const subscriber of this.subscribers) subscriber.isLive = false;
  }

  async #mark(): Promise<string> {
    const { store, tenant } = this.#collection;
    return markOf(await lifeOf(store, tenant), this.#release);
  }
}
