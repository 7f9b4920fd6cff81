import type { Cursor, IEventStore } from "../core/index.ts";
import type { Keeper, Service } from "./composition.ts";
import type { EventStream } from "./event-stream.ts";
import { CollectionFeed } from "./event-stream-collection.ts";
import { Follower, type Look } from "./event-stream-follow.ts";
import { pageTurns } from "./event-stream-pages.ts";
import { type ViewInterest, ViewSubscriber } from "./event-stream-view-subscriber.ts";
import { errorFacts, type Log } from "./log.ts";

/** Streams of views: one follower for each thread of each tenant that somebody listens to. */
export class ViewStreams {
  readonly #service: Service;
  readonly #log: Log | undefined;
  readonly #feeds = new Map<string, ThreadFeed>();
  readonly #turns = pageTurns();

  constructor(service: Service, log: Log | undefined) {
    this.#service = service;
    this.#log = log;
  }

  /** Tells a stream everything that it wants, until it is over. */
  join(stream: EventStream, keeper: Keeper, interest: ViewInterest): void {
    const { tenant, collection } = interest;
    const { store, upcasters } = this.#service;
    const key = `${tenant} ${keeper.thread}`;
    const feed = this.#feeds.get(key) ?? new ThreadFeed(store, tenant, keeper.thread, this.#log);
    this.#feeds.set(key, feed);
    const { projection } = keeper;
    const make = () => new CollectionFeed({ store, tenant, name: collection, projection, upcasters });
    const leave = feed.join(keeper.handler, make, new ViewSubscriber(stream, this.#turns, interest));
    stream.signal.addEventListener("abort", () => {
      if (leave() === "last" && this.#feeds.get(key) === feed) this.#feeds.delete(key);
    });
  }
}

/** Follows one thread of one tenant: one look at its cursors serves the streams of all its collections. */
class ThreadFeed {
  readonly #store: IEventStore;
  readonly #tenant: string;
  readonly #thread: string;
  readonly #log: Log | undefined;
  readonly #follower = new Follower();
  /** By the name of the handler that keeps the collection. */
  readonly #collections = new Map<string, CollectionFeed>();

  constructor(store: IEventStore, tenant: string, thread: string, log: Log | undefined) {
    this.#store = store;
    this.#tenant = tenant;
    this.#thread = thread;
    this.#log = log;
    void this.#follower.follow(store, tenant, () => this.#look(), log);
  }

  /** Returns how to leave; `last` says that the feed has ended, because nobody is left. */
  join(handler: string, make: () => CollectionFeed, subscriber: ViewSubscriber): () => "last" | "others" {
    const collection = this.#collections.get(handler) ?? make();
    this.#collections.set(handler, collection);
    collection.subscribers.add(subscriber);
    this.#follower.wake();
    return () => {
      collection.subscribers.delete(subscriber);
      if (collection.subscribers.size === 0) this.#collections.delete(handler);
      if (this.#collections.size > 0) return "others";
      this.#follower.stop();
      return "last";
    };
  }

  async #look(): Promise<Look> {
    const { thread, head } = await this.#store.peek(this.#tenant, this.#thread);
    let isBehind = false;
    for (const [handler, collection] of this.#collections) {
      const cursor = Object.hasOwn(thread.cursors, handler) ? thread.cursors[handler] : undefined;
      await collection.advance(cursor);
      collection.catchUp((subscriber, error) => this.#failed(subscriber, error));
      isBehind ||= isComing(cursor, head);
    }
    return isBehind ? "behind" : "settled";
  }

  #failed({ stream }: ViewSubscriber, error: unknown): void {
    this.#log?.("WARNING", "a stream could not be told its views: its client comes back", {
      tenant: this.#tenant,
      error: errorFacts(error),
    });
    stream.end("failed");
  }
}

/** Whether its keeper will soon come further; one that has halted waits for an operator, who may take days. */
function isComing(cursor: Cursor | undefined, head: number): boolean {
  if (cursor === undefined) return head > 0;
  return cursor.isClearing === true || (cursor.position < head && cursor.failure?.halted !== true);
}
