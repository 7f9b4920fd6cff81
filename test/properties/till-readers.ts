import { expect } from "chai";
import { Err, type IEventHandler, type IEventStore, StreamReader } from "../../core/index.ts";
import { parkedAll } from "../contract/reading.ts";
import type { TurnedClock } from "../support/turned-clock.ts";
import { Book, pagesOf, readPages } from "./book.ts";
import type { SafeEvents } from "./safe.ts";
import type { TillEvents } from "./till.ts";
import type { Keeping } from "./till-deeds.ts";
import { eventsOf, type Heard, type TillModel } from "./till-model.ts";

/** Whether the bell breaks at a commit. */
function isPoison(id: string, version: number): boolean {
  return id === "c" && version % 3 === 1;
}

/** The readers of a tenant of tills: a book, and a bell that hears every event and parks those at which it breaks. */
export class TillReaders {
  readonly #store: IEventStore;
  readonly #reader: StreamReader;
  readonly #book = new Book();
  readonly #tenant: string;
  #rung: string[] = [];

  constructor(store: IEventStore, clock: TurnedClock, tenant: string) {
    this.#store = store;
    this.#tenant = tenant;
    this.#reader = new StreamReader(store, { platform: clock, onError: "park", retries: 0 });
  }

  get #bell(): IEventHandler<TillEvents & SafeEvents> {
    const ring = (_tenant: string, _event: unknown, { type, id, version }: { type: string; id: string; version: number }) => {
      this.#rung.push(`${type}.${id}@${version}`);
      if (isPoison(id, version)) throw new TypeError(`the bell breaks at ${id}`);
    };
    return { name: "Bell", events: { Paid: ring, Stowed: ring } };
  }

  async do(how: Keeping, limit: number, model: TillModel): Promise<void> {
    try {
      await this.#do(how, limit, model);
    } catch (error) {
      const codes = ["not_found", "precondition", ...(model.status === "absent" || model.status === "erased" ? ["tenant"] : [])];
      if (how === "poll" || !Err.is(error) || !codes.includes(error.code)) throw error;
    }
    await this.#check(model);
  }

  /** Reads everything: the book then holds it, once, and the bell has heard it or has parked it. */
  async end(model: TillModel): Promise<void> {
    for (let polls = 0; polls < 200; polls++) if (!(await this.#poll(100, model))) break;
    expect(await readPages(this.#reader, this.#tenant), "the book").to.deep.equal(pagesOf(eventsOf(model.order)));
    expect(model.heard, "what the bell heard").to.equal(eventsOf(model.order).length);
    await this.#check(model);
  }

  async #do(how: Keeping, limit: number, model: TillModel): Promise<unknown> {
    const facts = [this.#tenant, "main"] as const;
    switch (how) {
      case "poll":
        return this.#poll(limit, model);
      case "rebuild":
      case "rollback":
        return this.#reader[how](...facts, this.#book, { limit });
      case "discard":
      case "rewind":
        return this.#reader[how](...facts, this.#book);
      case "retry":
        return this.#reader.retryParked(...facts, this.#bell);
    }
  }

  /** Polls once; false where nothing is left. */
  async #poll(limit: number, model: TillModel): Promise<boolean> {
    this.#rung = [];
    const { status } = await this.#reader.poll(this.#tenant, "main", [this.#book, this.#bell], { limit });
    expect(status, "the status").to.be.oneOf(["idle", "progressed", "waiting"]);
    expect(this.#rung, "what the bell hears next").to.deep.equal(
      named(eventsOf(model.order)).slice(model.heard, model.heard + this.#rung.length),
    );
    model.heard += this.#rung.length;
    return status !== "idle";
  }

  /** The book is a fold of the first so many events, whichever generation is live; what is parked is what broke the bell. */
  async #check(model: TillModel): Promise<void> {
    const pages = await readPages(this.#reader, this.#tenant);
    const count = Object.values(pages).reduce((sum, versions) => sum + versions.length, 0);
    expect(pages, "the book on its way").to.deep.equal(pagesOf(eventsOf(model.order).slice(0, count)));
    const parked = await parkedAll(this.#store, this.#tenant, "main");
    const broken = named(eventsOf(model.order).slice(0, model.heard)).filter((name) =>
      isPoison(name.split(/[.@]/)[1]!, +name.split("@")[1]!),
    );
    expect(parked.length, `parked events, of ${broken}`).to.equal(broken.length);
  }
}

/** Each event as `type.id@version`. */
function named(events: readonly Heard[]): readonly string[] {
  return events.map(({ type, id, version }) => `${type}.${id}@${version}`);
}
