import { expect } from "chai";
import { CommandHandler, Err, type ExportRecord, type IEventStore } from "../../core/index.ts";
import { exportAll, readAll, stream } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import type { TurnedClock } from "../support/turned-clock.ts";
import { unusedTenant } from "./grounds.ts";
import type { Safe } from "./safe.ts";
import { Till, TillOfNow, TillUnsnapped } from "./till.ts";
import { TILLS, type TillDeed } from "./till-deeds.ts";
import { type Answer, type Kind, type Sent, TillModel, typeOfCommand } from "./till-model.ts";
import { TillReaders } from "./till-readers.ts";

const HANDLERS = [Till, TillOfNow, TillUnsnapped, Till, TillOfNow];

/** A tenant in the engine and in the model. */
interface Half {
  readonly tenant: string;
  readonly readers: TillReaders;
  model: TillModel;
}

/** Two tenants with the same ids, each in the engine and in the model. */
export class Twofold {
  #stores: readonly IEventStore[];
  readonly #clock: TurnedClock;
  #halves: readonly Half[];
  #handlers: readonly { readonly handler: CommandHandler<readonly [typeof Till, typeof Safe]>; readonly Type: typeof Till }[];
  readonly #sent: Sent[] = [];
  #kept: { readonly model: TillModel; readonly records: readonly ExportRecord[] } | undefined;

  constructor(stores: readonly IEventStore[], clock: TurnedClock) {
    this.#stores = stores;
    this.#clock = clock;
    this.#halves = [this.#halfOf(new TillModel()), this.#halfOf(new TillModel())];
    this.#handlers = HANDLERS.map((_, number) => this.#handlerOf(number));
  }

  get #store(): IEventStore {
    return this.#stores[0]!;
  }

  #halfOf(model: TillModel): Half {
    const tenant = unusedTenant();
    return { tenant, model, readers: new TillReaders(this.#stores.at(-1)!, this.#clock, tenant) };
  }

  #handlerOf(number: number) {
    const Type = HANDLERS[number]! as typeof Till;
    const store = this.#stores[number % this.#stores.length]!;
    const options = { platform: this.#clock, ...(number === 3 && { cacheSize: 1 }), ...(number === 4 && { development: true }) };
    return { handler: new CommandHandler(store, [Type, Type.safes] as const, options), Type };
  }

  async do(deed: TillDeed): Promise<void> {
    this.#clock.turn(1_000);
    const half = this.#halves[deed.in]!;
    switch (deed.do) {
      case "send":
        this.#sent.push(deed.sent);
        return this.#send(half, deed.by, deed.sent);
      case "again": {
        const sent = this.#sent.filter(({ key }) => key !== undefined).at(-1 - deed.back);
        return sent && this.#send(half, deed.by, sent);
      }
      case "look":
        return this.#look(half, deed.by, "tills", deed.id, deed.version);
      case "redact":
        return this.#redact(half, deed.by, deed.type, deed.id);
      case "keep books":
        return half.readers.do(deed.how, deed.limit, half.model);
      default:
        return this.#operate(half, deed.do);
    }
  }

  /** Moves both tenants to other stores, under other names; what follows is done there. */
  async moveTo(stores: readonly IEventStore[]): Promise<void> {
    const before = { halves: this.#halves, store: this.#store };
    this.#stores = stores;
    this.#handlers = HANDLERS.map((_, number) => this.#handlerOf(number));
    this.#halves = before.halves.map(({ model }) => this.#halfOf(hasLog(model) ? model.copy() : new TillModel()));
    for (const [place, { tenant, model }] of before.halves.entries()) {
      if (!hasLog(model)) continue;
      const records = await exportAll(before.store, tenant);
      const half = this.#halves[place]!;
      await this.#store.import(half.tenant, stream(records));
      const [, ...same] = await exportAll(this.#store, half.tenant);
      expect(same, "the export of the import").to.deep.equal(records.slice(1));
      for (const { sent } of model.receipts.values()) await this.#send(half, this.#sent.length % 5, sent);
    }
  }

  async #redact({ tenant, model }: Half, by: number, type: Kind, id: string): Promise<void> {
    const { handler, Type } = this.#handlers[by]!;
    const redacting = handler.redact(tenant, type === "tills" ? Type : Type.safes, id, ({ name, schemaVersion }) =>
      name === "Paid" && schemaVersion === 0 ? { amount: 7 } : { cents: 700 },
    );
    const answer = await redacting.then((rewritten) => ({ rewritten }), codeOf);
    expect(answer, "what a redaction answers").to.deep.equal(model.redact(type, id));
    // What the others keep warm is from before, and nothing tells them until it is noted: they are started anew.
    if ("code" in answer) this.#handlers = this.#handlers.map((one, number) => (number === by ? one : this.#handlerOf(number)));
  }

  async #operate(half: Half, what: "suspend" | "open" | "erase" | "keep" | "restore"): Promise<void> {
    const { tenant, model } = half;
    const { status } = model;
    switch (what) {
      case "suspend":
      case "open":
        if (status === "absent" || (status === "erased" && what === "suspend")) return;
        if (status === "erased") this.#clock.turn(60 * 60 * 1000);
        await this.#store[what](tenant);
        model.status = what === "open" ? "open" : "suspended";
        return;
      case "erase":
        if (status === "absent") return;
        await this.#store.erase(tenant);
        half.model = new TillModel();
        half.model.status = "erased";
        return;
      case "keep":
        if (hasLog(model)) this.#kept = { model: model.copy(), records: await exportAll(this.#store, tenant) };
        return;
      case "restore":
        if (this.#kept === undefined) return;
        if (status !== "absent") await this.#store.erase(tenant);
        await this.#store.import(tenant, stream(this.#kept.records));
        half.model = this.#kept.model.copy();
    }
  }

  async #send({ tenant, model }: Half, by: number, sent: Sent): Promise<void> {
    const { handler } = this.#handlers[by]!;
    const { name, id: aggregateId, to, amount, verify, expected, key } = sent;
    const data = { aggregateId, to, amount, verify, ...(expected !== undefined && { expectedVersion: expected }) };
    const answer: Answer = await handler
      .command(actorOf(tenant), name, data as never, key === undefined ? {} : { commandId: key })
      .then(async (context) => {
        const { cents, aggregateVersion: version } = context.aggregate as Till | Safe;
        const position = await context.position();
        if (!context.replayed && context.events.length > 0) {
          const own = await this.#store.positionOf({ tenant, type: typeOfCommand(name), id: aggregateId }, version);
          expect(position).to.be.at.least(own!);
        }
        return { cents, version, events: context.events.length, replayed: context.replayed };
      })
      .catch(codeOf);
    const right = model.send(sent);
    // Where the tenant takes no commands, to say so is right too: a stale state may lead to a write.
    const isClosed = model.status === "suspended" || model.status === "erased";
    const isReplay = "replayed" in right && right.replayed;
    const isTold = isClosed && !isReplay && "code" in answer && answer.code === "tenant";
    // Who is admitted by a stale state may hear of the key first: nothing is written either way.
    const isHeard = "code" in right && right.code === "authorization" && "code" in answer && answer.code === "idempotency";
    if (isHeard) expect(model.receipts.has(key!)).to.equal(true);
    else if (!isTold) expect(answer, JSON.stringify(sent)).to.deep.equal(right);
  }

  async #look({ tenant, model }: Half, by: number, type: Kind, id: string, version?: number): Promise<void> {
    const { handler, Type: Tills } = this.#handlers[by]!;
    const Type = (type === "tills" ? Tills : Tills.safes) as typeof Till;
    const found = await handler.load(actorOf(tenant), Type, id, version === undefined ? {} : { version });
    const last = model.version(type, id);
    const isThere = version === undefined ? last >= 0 : version <= last;
    expect(found && [found.cents, found.aggregateVersion], `${type} ${id}`).to.deep.equal(
      isThere ? [model.cents(type, id, version), version ?? last] : undefined,
    );
    const { aggregate, snapshot } = await handler.recalculate(actorOf(tenant), Type, id);
    expect([aggregate.cents, aggregate.aggregateVersion]).to.deep.equal([model.cents(type, id), last]);
    expect(snapshot).to.not.equal("different");
  }

  /** Compares the whole orders at the end, each till and each safe as a new process sees them, and what readers made of it. */
  async end(): Promise<void> {
    this.#handlers = HANDLERS.map((_, number) => this.#handlerOf(number));
    for (const half of this.#halves) {
      const { tenant, model } = half;
      expect(await this.#store.status(tenant)).to.equal(model.status);
      for (const one of TILLS)
        for (let number = 0; number < 3; number++)
          for (const type of ["tills", "safes"] as const) await this.#look(half, number, type, one);
      const { commits } = await readAll({ store: this.#store, clock: this.#clock }, tenant);
      expect(commits.map(({ type, id }) => `${type} ${id}`)).to.deep.equal(model.order.map(({ type, id }) => `${type} ${id}`));
      for (const key of model.receipts.keys()) expect(await this.#store.receipt(tenant, key)).to.not.equal(undefined);
      await half.readers.end(model);
    }
  }
}

/** The code of an error of the engine's; others are thrown on. */
function codeOf(error: unknown): { readonly code: string } {
  if (!Err.is(error)) throw error;
  return { code: error.code };
}

/** Whether there is something to export. */
function hasLog({ status }: TillModel): boolean {
  return status === "open" || status === "suspended";
}
