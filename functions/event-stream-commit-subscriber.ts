import type { Address, Commit, IEventStore } from "../core/index.ts";
import { commitAnswer } from "./answers.ts";
import { type EventStream, encodeEvent } from "./event-stream.ts";
import { StreamPages } from "./event-stream-pages.ts";
import { idOf, markOf, placeIn } from "./event-stream-place.ts";
import type { FairQueue } from "./fair-queue.ts";

/** Who may read an aggregate where its state decides. */
export interface Guard {
  /** @throws {Err} `authorization` where the client may not read it any more. */
  check(): Promise<void>;
}

/** What a stream of commits is about. */
export interface CommitInterest {
  readonly address: Address;
  /** A version; -1 = from the first. */
  readonly after: number;
  /** The `Last-Event-ID` of a client that comes back: it counts instead of `after`. */
  readonly lastId: string | undefined;
  readonly guard: Guard | undefined;
}

/** One stream of an aggregate's commits: catches up from its history at its client's pace, then lives on the tenant's log. */
export class CommitSubscriber {
  readonly stream: EventStream;
  isLive = false;
  readonly #pages: StreamPages;
  readonly #address: Address;
  /** Asked before each commit where the aggregate's state decides who may read; undefined where it does not. */
  readonly #guard: Guard | undefined;
  #lastId: string | undefined;
  /** The version up to which the client has everything. */
  #version: number;
  /** The life of the tenant in which that is so; undefined before the first read. */
  #mark: string | undefined;
  #isBusy = false;
  #hasMissed = false;

  constructor(stream: EventStream, turns: FairQueue, { address, after, lastId, guard }: CommitInterest) {
    this.stream = stream;
    this.#pages = new StreamPages(stream, turns, address.tenant);
    this.#address = address;
    this.#version = after;
    this.#lastId = lastId;
    this.#guard = guard;
  }

  /** Hears of a commit of its aggregate; sends it if it is the next, else catches up later. */
  tell(commit: Commit): void {
    this.#hasMissed = true;
    if (!this.isLive || commit.version <= this.#version) return;
    if (this.#guard !== undefined || commit.version !== this.#version + 1 || !this.stream.send(this.#encode(commit)))
      this.isLive = false;
    else this.#version = commit.version;
  }

  /** Sends the history up to now; does nothing while it is at it. */
  async catchUp(store: IEventStore): Promise<void> {
    if (this.isLive || this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let isOn = true; isOn && !this.isLive; ) isOn = await this.#pages.turn((limit) => this.#sendPage(store, limit));
    } finally {
      this.#isBusy = false;
    }
  }

  async #sendPage(store: IEventStore, limit: number): Promise<void> {
    this.#hasMissed = false;
    const { commits, life } = await store.load(this.#address, { after: this.#version, limit });
    if (!(await this.#isOf(life))) return;
    // After the load: so it is asked about a state that holds what was loaded.
    await this.#guard?.check();
    this.#pages.send(
      commits,
      (commit) => this.#encode(commit),
      ({ version }) => {
        this.#version = version;
      },
    );
    this.isLive = commits.length === 0 && !this.#hasMissed;
  }

  /** Whether the version that the client has is one of this life; if not, it begins anew. */
  async #isOf(life: string): Promise<boolean> {
    const mark = await markOf(life);
    const lastId = this.#lastId;
    const before = this.#mark;
    this.#mark = mark;
    this.#lastId = undefined;
    if (lastId !== undefined) {
      this.#version = placeIn(lastId, mark) ?? -1;
      if (this.#version < 0) this.stream.send(encodeEvent("reset", "", {}));
      return false;
    }
    if (before === undefined || before === mark) return true;
    this.#version = -1;
    this.stream.send(encodeEvent("reset", "", {}));
    return false;
  }

  #encode(commit: Commit): Uint8Array {
    return encodeEvent("commit", idOf(commit.version, this.#mark ?? ""), commitAnswer(commit));
  }
}
