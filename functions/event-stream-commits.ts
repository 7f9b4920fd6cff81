import { type Address, Err, type IEventStore, keyOf, type PositionedCommit, type Waiting } from "../core/index.ts";
import type { EventStream } from "./event-stream.ts";
import { type CommitInterest, CommitSubscriber } from "./event-stream-commit-subscriber.ts";
import { Follower, type Look } from "./event-stream-follow.ts";
import { MOST_ITEMS, pageTurns } from "./event-stream-pages.ts";
import { errorFacts, type Log } from "./log.ts";

/** A thread that nobody reads by: only to ask where the head is. */
const NO_THREAD = "streams";

/** Streams of aggregates' commits: one follower for each tenant that somebody listens to. */
export class CommitStreams {
  readonly #store: IEventStore;
  readonly #log: Log | undefined;
  readonly #feeds = new Map<string, TenantFeed>();
  readonly #turns = pageTurns();

  constructor(store: IEventStore, log: Log | undefined) {
    this.#store = store;
    this.#log = log;
  }

  /** Tells a stream the commits of one aggregate, until it is over. */
  join(stream: EventStream, interest: CommitInterest): void {
    const { address } = interest;
    const { tenant } = address;
    const feed = this.#feeds.get(tenant) ?? new TenantFeed(this.#store, tenant, this.#log);
    this.#feeds.set(tenant, feed);
    const leave = feed.join(address, new CommitSubscriber(stream, this.#turns, interest));
    stream.signal.addEventListener("abort", () => {
      if (leave() === "last" && this.#feeds.get(tenant) === feed) this.#feeds.delete(tenant);
    });
  }
}

/** Follows a tenant's log and hands each commit to those who listen to its aggregate. */
class TenantFeed {
  readonly #store: IEventStore;
  readonly #tenant: string;
  readonly #log: Log | undefined;
  readonly #follower = new Follower();
  readonly #subscribers = new Map<string, Set<CommitSubscriber>>();
  /** Up to where the log is told; undefined before the first look. */
  #position: number | undefined;
  #waiting: Waiting | undefined;

  constructor(store: IEventStore, tenant: string, log: Log | undefined) {
    this.#store = store;
    this.#tenant = tenant;
    this.#log = log;
    void this.#follower.follow(store, tenant, () => this.#look(), log);
  }

  /** Returns how to leave; `last` says that the feed has ended, because nobody is left. */
  join(address: Address, subscriber: CommitSubscriber): () => "last" | "others" {
    const key = keyOf(address);
    const listeners = this.#subscribers.get(key) ?? new Set();
    this.#subscribers.set(key, listeners.add(subscriber));
    this.#follower.wake();
    return () => {
      listeners.delete(subscriber);
      if (listeners.size === 0) this.#subscribers.delete(key);
      if (this.#subscribers.size > 0) return "others";
      this.#follower.stop();
      return "last";
    };
  }

  async #look(): Promise<Look> {
    const { head } = await this.#store.peek(this.#tenant, NO_THREAD);
    const after = this.#position;
    // A head that went back is that of another life of the tenant.
    if (after !== undefined && head < after) for (const subscriber of this.#everybody()) subscriber.isLive = false;
    if (after === undefined || head <= after) {
      this.#position = head;
      this.#catchUp();
      return "settled";
    }
    const { commits, next, waiting } = await this.#store.read(this.#tenant, after, MOST_ITEMS, this.#waiting);
    this.#position = next;
    this.#waiting = waiting;
    for (const commit of commits) this.#tell(commit);
    this.#catchUp();
    return next === after ? "behind" : "moved";
  }

  #tell(commit: PositionedCommit): void {
    const subscribers = this.#subscribers.get(keyOf(commit));
    if (subscribers === undefined) return;
    // As the history tells it, which is what a client that catches up gets.
    const { position: _position, ...told } = commit;
    for (const subscriber of subscribers) subscriber.tell(told);
  }

  #catchUp(): void {
    for (const subscriber of this.#everybody()) {
      subscriber.catchUp(this.#store).catch((error: unknown) => {
        if (Err.is(error, "authorization")) return subscriber.stream.end("refused");
        const facts = { tenant: this.#tenant, error: errorFacts(error) };
        this.#log?.("WARNING", "a stream could not be told its commits: its client comes back", facts);
        return subscriber.stream.end("failed");
      });
    }
  }

  *#everybody(): Iterable<CommitSubscriber> {
    for (const listeners of this.#subscribers.values()) yield* listeners;
  }
}
