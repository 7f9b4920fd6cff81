import type { Address, Commit, IEventStore } from "../core/index.ts";
import { commitAnswer } from "./answers.ts";
import { type EventStream, encodeEvent } from "./event-stream.ts";
import { idOf, markOf, placeIn } from "./event-stream-place.ts";

/** Who may read an aggregate where its state decides. */
export interface Guard {
  /** @throws {Err} `authorization` where the client may not read it any more. */
  check(): Promise<void>;
}

/** How many commits are loaded at once. */
const PAGE = 100;

/** One stream of an aggregate's commits: catches up from its history at its client's pace, then lives on the tenant's log. */
export class CommitSubscriber {
  readonly stream: EventStream;
  isLive = false;
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

  constructor(stream: EventStream, address: Address, after: number, lastId: string | undefined, guard: Guard | undefined) {
    this.stream = stream;
    this.#address = address;
    this.#version = after;
    this.#lastId = lastId;
    this.#guard = guard;
  }

  /** Hears of a commit of its aggregate; sends it if it is the next, else catches up later. */
  tell(commit: Commit): void {
    this.#hasMissed = true;
    if (!this.isLive || commit.version <= this.#version) return;
    this.isLive = this.#guard === undefined && commit.version === this.#version + 1 && this.#send(commit);
  }

  /** Sends the history up to now; does nothing while it is at it. */
  async catchUp(store: IEventStore): Promise<void> {
    if (this.isLive || this.#isBusy) return;
    this.#isBusy = true;
    try {
      while (await this.stream.room()) {
        this.#hasMissed = false;
        const { commits, life } = await store.load(this.#address, { after: this.#version, limit: PAGE });
        if (!(await this.#isOf(life))) continue;
        // After the load: so it is asked about a state that holds what was loaded.
        await this.#guard?.check();
        for (const commit of commits) if (!(await this.stream.room()) || !this.#send(commit)) return;
        if (commits.length > 0 || this.#hasMissed) continue;
        this.isLive = true;
        return;
      }
    } finally {
      this.#isBusy = false;
    }
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

  #send(commit: Commit): boolean {
    const id = idOf(commit.version, this.#mark ?? "");
    if (!this.stream.send(encodeEvent("commit", id, commitAnswer(commit)))) return false;
    this.#version = commit.version;
    return true;
  }
}
