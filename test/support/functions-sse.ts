import { createParser } from "eventsource-parser";
import type { JsonObject } from "../../core/index.ts";

/** One event as a client got it. */
export interface ServerSentEvent {
  readonly event: string;
  readonly id: string;
  readonly data: JsonObject;
}

/** A client of an event stream that does what functions/README.md says: applies what it gets, and remembers the last id. */
export class StreamClient {
  readonly events: ServerSentEvent[] = [];
  /** The views as the client has them. */
  readonly views = new Map<string, unknown>();
  comments = 0;
  retry = 0;
  lastId = "";
  status = 0;
  headers = new Headers();
  body = "";
  readonly ended: Promise<"ended" | "cut">;
  readonly #leave = new AbortController();
  readonly #heard = new Set<() => void>();
  #isOver = false;

  constructor(url: string, token: string, lastId = "", views: ReadonlyMap<string, unknown> = new Map()) {
    for (const [id, value] of views) this.views.set(id, value);
    this.lastId = lastId;
    this.ended = this.#read(url, token, lastId).finally(() => {
      this.#isOver = true;
      this.#tell();
    });
  }

  /** Resolves as soon as the claim holds; rejects when the stream is over without it. */
  async until(claim: (client: this) => boolean): Promise<this> {
    while (!claim(this)) {
      if (this.#isOver)
        throw new Error(`the stream is over (${this.status}) after ${JSON.stringify(this.events.slice(-5))} ${this.body}`);
      await new Promise<void>((heard) => this.#heard.add(heard));
    }
    return this;
  }

  named(event: string): readonly ServerSentEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  /** Leaves, as a page that is closed does. */
  async close(): Promise<void> {
    this.#leave.abort();
    await this.ended;
  }

  async #read(url: string, token: string, lastId: string): Promise<"ended" | "cut"> {
    try {
      const headers = { authorization: `Bearer ${token}`, ...(lastId !== "" && { "last-event-id": lastId }) };
      const response = await fetch(url, { headers, signal: this.#leave.signal });
      this.status = response.status;
      this.headers = response.headers;
      if (response.status !== 200) {
        this.body = await response.text();
        return "ended";
      }
      const parser = createParser({
        onEvent: ({ event = "message", id, data }) => this.#apply(event, id, JSON.parse(data)),
        onComment: () => this.comments++,
        onRetry: (retry) => {
          this.retry = retry;
        },
      });
      const decoder = new TextDecoder();
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        this.#tell();
      }
      return "ended";
    } catch {
      return "cut";
    }
  }

  #apply(event: string, id: string | undefined, data: JsonObject): void {
    if (id !== undefined) this.lastId = id;
    this.events.push({ event, id: this.lastId, data });
    if (event === "reset") this.views.clear();
    if (event !== "view") return;
    if (data.deleted === true) this.views.delete(String(data.id));
    else this.views.set(String(data.id), data.value);
  }

  #tell(): void {
    for (const heard of this.#heard) heard();
    this.#heard.clear();
  }
}
