import { expect } from "chai";
import { CommandHandler, Err, type ExportRecord, type IEventStore } from "../../core/index.ts";
import { exportAll, readAll, stream } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import type { TurnedClock } from "../support/turned-clock.ts";
import { Till, TillOfNow, TillUnsnapped } from "./till.ts";
import { TILLS, type TillDeed } from "./till-deeds.ts";
import { type Answer, type Sent, TillModel } from "./till-model.ts";

/** The same tenant in the engine and in the model. */
export class Twofold {
  readonly #stores: readonly IEventStore[];
  readonly #clock: TurnedClock;
  readonly #tenant: string;
  #handlers: { readonly handler: CommandHandler<readonly [typeof Till]>; readonly Type: typeof Till }[] = [];
  #model = new TillModel();
  readonly #sent: Sent[] = [];
  #kept: { readonly model: TillModel; readonly records: readonly ExportRecord[] } | undefined;

  constructor(stores: readonly IEventStore[], clock: TurnedClock, tenant: string) {
    this.#stores = stores;
    this.#clock = clock;
    this.#tenant = tenant;
    this.#handlers = [0, 1, 2, 3, 4].map((number) => this.#handlerOf(number));
  }

  get #store(): IEventStore {
    return this.#stores[0]!;
  }

  #handlerOf(number: number) {
    const Type = [Till, TillOfNow, TillUnsnapped, Till, TillOfNow][number]! as typeof Till;
    const store = this.#stores[number % this.#stores.length]!;
    const options = { platform: this.#clock, ...(number === 3 && { cacheSize: 1 }), ...(number === 4 && { development: true }) };
    return { handler: new CommandHandler(store, [Type] as const, options), Type };
  }

  async do(deed: TillDeed): Promise<void> {
    this.#clock.turn(1_000);
    switch (deed.do) {
      case "send":
        this.#sent.push(deed.sent);
        return this.#send(deed.by, deed.sent);
      case "again": {
        const sent = this.#sent.filter(({ key }) => key !== undefined).at(-1 - deed.back);
        return sent && this.#send(deed.by, sent);
      }
      case "look":
        return this.#look(deed.by, deed.id, deed.version);
      case "redact": {
        const { handler, Type } = this.#handlers[deed.by]!;
        await handler.redact(this.#tenant, Type, deed.id, ({ schemaVersion }) =>
          schemaVersion === 0 ? { amount: 7 } : { cents: 700 },
        );
        if (this.#model.status !== "erased") for (const write of this.#model.of(deed.id)) write.cents = 700;
        // What the others keep warm is from before: they are told to forget it by starting anew.
        this.#handlers = this.#handlers.map((one, number) => (number === deed.by ? one : this.#handlerOf(number)));
        return;
      }
      default:
        return this.#operate(deed.do);
    }
  }

  async #operate(what: "suspend" | "open" | "erase" | "keep" | "restore"): Promise<void> {
    const { status } = this.#model;
    switch (what) {
      case "suspend":
      case "open":
        if (status === "absent" || (status === "erased" && what === "suspend")) return;
        if (status === "erased") this.#clock.turn(60 * 60 * 1000);
        await this.#store[what](this.#tenant);
        this.#model.status = what === "open" ? "open" : "suspended";
        return;
      case "erase":
        if (status === "absent") return;
        await this.#store.erase(this.#tenant);
        this.#model = new TillModel();
        this.#model.status = "erased";
        return;
      case "keep":
        if (status !== "open" && status !== "suspended") return;
        this.#kept = { model: this.#model.copy(), records: await exportAll(this.#store, this.#tenant) };
        return;
      case "restore":
        if (this.#kept === undefined) return;
        await this.#store.erase(this.#tenant);
        await this.#store.import(this.#tenant, stream(this.#kept.records));
        this.#model = this.#kept.model.copy();
        this.#model.status = "open";
    }
  }

  async #send(by: number, sent: Sent): Promise<void> {
    const { handler } = this.#handlers[by]!;
    const { name, id: aggregateId, to, amount, verify, expected, key } = sent;
    const data = { aggregateId, to, amount, verify, ...(expected !== undefined && { expectedVersion: expected }) };
    const answer: Answer = await handler
      .command(actorOf(this.#tenant), name, data as never, key === undefined ? {} : { commandId: key })
      .then(async (context) => {
        const { cents, aggregateVersion: version } = context.aggregate as Till;
        const position = await context.position();
        if (!context.replayed && context.events.length > 0) {
          const own = await this.#store.positionOf({ tenant: this.#tenant, type: "tills", id: aggregateId }, version);
          expect(position).to.be.at.least(own!);
        }
        return { cents, version, events: context.events.length, replayed: context.replayed };
      })
      .catch((error: unknown) => {
        if (!Err.is(error)) throw error;
        return { code: error.code };
      });
    const right = this.#model.send(sent);
    // Where the tenant takes no commands, to say so is right too: a stale state may lead to a write.
    const isClosed = this.#model.status === "suspended" || this.#model.status === "erased";
    const isReplay = "replayed" in right && right.replayed;
    const isTold = isClosed && !isReplay && "code" in answer && answer.code === "tenant";
    if (!isTold) expect(answer).to.deep.equal(right);
  }

  async #look(by: number, id: string, version?: number): Promise<void> {
    const { handler, Type } = this.#handlers[by]!;
    const till = await handler.load(actorOf(this.#tenant), Type, id, version === undefined ? {} : { version });
    const last = this.#model.version(id);
    const isThere = version === undefined ? last >= 0 : version <= last;
    expect(till && [till.cents, till.aggregateVersion]).to.deep.equal(
      isThere ? [this.#model.cents(id, version), version ?? last] : undefined,
    );
    const { aggregate, snapshot } = await handler.recalculate(actorOf(this.#tenant), Type, id);
    expect([aggregate.cents, aggregate.aggregateVersion]).to.deep.equal([this.#model.cents(id), last]);
    expect(snapshot).to.not.equal("different");
  }

  /** Compares the whole order at the end, and each till as a new process sees it. */
  async end(): Promise<void> {
    for (let number = 0; number < 5; number++) this.#handlers[number] = this.#handlerOf(number);
    for (const one of TILLS) for (let number = 0; number < 3; number++) await this.#look(number, one);
    const { commits } = await readAll({ store: this.#store, clock: this.#clock }, this.#tenant);
    expect(commits.map(({ id }) => id)).to.deep.equal(this.#model.order.map(({ id }) => id));
    for (const key of this.#model.receipts.keys()) expect(await this.#store.receipt(this.#tenant, key)).to.not.equal(undefined);
  }
}
