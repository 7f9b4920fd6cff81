import { type Cursor, defaultPlatform } from "../core/index.ts";
import { placeOf } from "../core/stream-kit.ts";
import { type Collection, changedBetween, changesOf } from "./event-stream-changes.ts";
import { endOf, idOf, isSame, lifeOf, markOf, standingOf } from "./event-stream-place.ts";
import { encodeCaughtUp, encodeChange, type Told, type ViewSubscriber } from "./event-stream-view-subscriber.ts";

/** One collection of one tenant and all its streams: what changed is looked up once, whatever their number. */
export class CollectionFeed {
  readonly subscribers = new Set<ViewSubscriber>();
  readonly #collection: Collection;
  /** What the live streams were told; undefined while nobody can join them, as while a rewind deletes the views. */
  #told: Told | undefined;
  #generation = 0;

  constructor(collection: Collection) {
    this.#collection = collection;
  }

  /** Tells the streams what changed up to where the keeper stands now. */
  async advance(cursor: Cursor | undefined): Promise<void> {
    const place = standingOf(cursor);
    const viewsIn = placeOf(this.#collection.name, cursor?.generation);
    const told = this.#told;
    if (cursor?.isClearing) return this.#beginAnew();
    if (told !== undefined && viewsIn === told.viewsIn && isSame(place, told.place)) return;
    if (told === undefined || viewsIn !== told.viewsIn || place.position < told.place.position || this.#isForeign(cursor)) {
      this.#beginAnew();
      this.#told = { place, viewsIn, mark: await this.#mark(cursor), generation: this.#generation };
    } else await this.#tell(told, { ...told, place });
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
      try {
        await this.#tellChanges(before, now);
      } catch (error) {
        // Whoever heard a part of it hears that again, and not the whole collection.
        for (const subscriber of this.subscribers) subscriber.standStill(before);
        this.#told = before;
        throw error;
      }
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
    for await (const changes of changesOf(this.#collection, now.viewsIn, ids)) {
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

  /** Whether the views are made by another version than this process has, which alone could tell what its events change. */
  #isForeign(cursor: Cursor | undefined): boolean {
    const { projection } = this.#collection;
    const version = "collection" in projection ? (projection.version ?? 0) : 0;
    return (cursor?.version ?? 0) !== version;
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

  /** A client goes on only with views of the life and the version that it has: other ones are other views of the same events. */
  async #mark(cursor: Cursor | undefined): Promise<string> {
    const { store, tenant } = this.#collection;
    const parts = [await lifeOf(store, tenant), cursor?.version ?? 0, cursor?.generation ?? 0];
    // What changed since then cannot be told from here: so nobody goes on.
    return markOf(...parts, ...(this.#isForeign(cursor) ? [defaultPlatform.newId()] : []));
  }
}
