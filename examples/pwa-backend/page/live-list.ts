import { EventSourceParserStream } from "eventsource-parser/stream";
import type { ItemView } from "../shopping.ts";
import type { Database, Session } from "./database.ts";

/** What the page wants to hear of its list. */
export interface ListEvents {
  changed(): void;
  /** Whether the list follows the team's, or is only what was last heard. */
  live(isLive: boolean): void;
  signedOut(): void;
}

/** How long to wait before coming back, in ms, unless the server says. */
const RETRY = 1_000;

/**
 * Follows the team's list by server-sent events.
 *
 * By `fetch` and not by EventSource, which cannot send the Authorization header; a token in the address would end up in logs.
 */
export class LiveList {
  /** The team's list as it was at `position`. */
  items: ReadonlyMap<string, ItemView> = new Map();
  position = 0;
  readonly #database: Database;
  readonly #session: Session;
  readonly #events: ListEvents;
  #lastId = "";
  #retry = RETRY;

  constructor(database: Database, session: Session, events: ListEvents) {
    this.#database = database;
    this.#session = session;
    this.#events = events;
  }

  /** Follows until the signal aborts, from where the last visit ended. */
  async follow(over: AbortSignal): Promise<void> {
    const saved = await this.#database.listOf(this.#session.id);
    if (saved !== undefined) this.#show(new Map(saved.items), saved.lastId);
    this.#events.changed();
    while (!over.aborted) {
      try {
        if (!(await this.#listen(over))) return this.#events.signedOut();
      } catch {
        // No network, or a connection that broke: come back.
      }
      this.#events.live(false);
      await untilOnlineOr(this.#retry, over);
    }
  }

  /** Listens to one stream until it ends; false where the token is not good any more. */
  async #listen(over: AbortSignal): Promise<boolean> {
    const left = new AbortController();
    addEventListener("offline", () => left.abort(), { signal: AbortSignal.any([over, left.signal]) });
    const headers = { authorization: `Bearer ${this.#session.token}`, "last-event-id": this.#lastId };
    const signal = AbortSignal.any([over, left.signal]);
    const response = await fetch("/views/shopping/stream", { headers, signal });
    if (response.status === 401) return false;
    if (!response.ok || response.body === null) return true;
    const onRetry = (retry: number) => {
      this.#retry = retry;
    };
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream({ onRetry }));
    const reader = events.getReader();
    // What comes is shown when it is whole, which is what `caught-up` says.
    let next = new Map(this.items);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      const data = JSON.parse(value.data);
      if (value.event === "reset") next = new Map();
      else if (value.event === "view" && data.deleted) next.delete(data.id);
      else if (value.event === "view") next.set(data.id, data.value);
      else if (value.event === "caught-up" && value.id !== undefined) {
        this.#show(new Map(next), value.id);
        await this.#database.saveList(this.#session.id, { items: [...next], lastId: value.id });
        this.#events.live(true);
      }
    }
  }

  #show(items: ReadonlyMap<string, ItemView>, lastId: string): void {
    this.items = items;
    this.#lastId = lastId;
    // An id begins with the position.
    this.position = Number.parseInt(lastId, 10);
    this.#events.changed();
  }
}

function untilOnlineOr(ms: number, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const woken = new AbortController();
    const wake = () => {
      clearTimeout(timer);
      woken.abort();
      resolve();
    };
    const timer = setTimeout(wake, ms);
    addEventListener("online", wake, { signal: woken.signal });
    over.addEventListener("abort", wake, { signal: woken.signal });
  });
}
