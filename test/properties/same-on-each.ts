import {
  CommandHandler,
  defaultPlatform,
  Err,
  type ExportRecord,
  type IEventHandler,
  type IEventStore,
  type IPlatform,
  StreamReader,
} from "../../core/index.ts";
import { exportAll, listAll, stream } from "../contract/reading.ts";
import { Bookkeeper, tellerOf, Wallet, type WalletEvents } from "../contract/wallet.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { STORES } from "../support/stores.ts";
import type { CommandDeed, Deed } from "./deeds.ts";

/** What can be seen of a store after the deeds: everything but its own positions and marks. */
export interface Outcome {
  readonly store: string;
  /** What each deed answered: facts of the result, or the error's code. */
  readonly answers: readonly unknown[];
  readonly records: unknown;
  readonly states: unknown;
  readonly views: unknown;
  /** What the handler that is no projection heard, in order. */
  readonly heard: readonly string[];
}

/** The stores that are compared; the first is the oracle. */
export const SEVERAL_STORES = STORES;

const IDS = ["a", "b", "c/../a", "é"];
const FIRST_NAME = "tenant";

/** Does the same on a fresh store of each kind, one deed after another, with the same clock and the same ids. */
export async function sameOnEach(deeds: readonly Deed[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const kind of STORES) {
    const platform = repeatable();
    const { store, close } = await kind.make(platform);
    try {
      outcomes.push(await new World(kind.name, store, platform).live(deeds));
    } finally {
      await close();
    }
  }
  return outcomes;
}

interface HandClock extends IPlatform {
  turn(ms: number): void;
}

/** A platform whose clock stands still until it is turned, and whose ids count up. */
function repeatable(): HandClock {
  let time = 1_700_000_000_000;
  let ids = 0;
  return {
    now: () => time,
    random: () => 0.5,
    newId: () => `id-${String(ids++).padStart(18, "0")}`,
    digest: defaultPlatform.digest,
    sleep: () => new Promise((resolve) => void setImmediate(resolve)),
    turn: (ms) => {
      time += ms;
    },
  };
}

class World {
  readonly #name: string;
  readonly #store: IEventStore;
  readonly #platform: HandClock;
  readonly #handlers: readonly CommandHandler<readonly [typeof Wallet]>[];
  readonly #reader: StreamReader;
  readonly #books = { main: new Bookkeeper("main"), side: new Bookkeeper("side") };
  readonly #heard: string[] = [];
  #tenant = FIRST_NAME;
  #copies = 0;

  constructor(name: string, store: IEventStore, platform: HandClock) {
    this.#name = name;
    this.#store = store;
    this.#platform = platform;
    this.#handlers = [0, 1].map(() => new CommandHandler(store, [Wallet] as const, { platform }));
    this.#reader = new StreamReader(store, { platform });
  }

  async live(deeds: readonly Deed[]): Promise<Outcome> {
    const answers: unknown[] = [];
    for (const deed of deeds) {
      this.#platform.turn(1_000);
      answers.push(await this.#do(deed).catch(failed));
    }
    for (const thread of ["main", "side"] as const) await this.#poll(thread, 100).catch(failed);
    return { store: this.#name, answers, ...(await this.#seen()) };
  }

  async #seen(): Promise<Pick<Outcome, "records" | "states" | "views" | "heard">> {
    const states: unknown[] = [];
    const handler = new CommandHandler(this.#store, [Wallet], { platform: this.#platform });
    for (const id of IDS) {
      const wallet = await handler.load(tellerOf(this.#tenant), Wallet, id);
      states.push(wallet === undefined ? "none" : { ...wallet, version: wallet.aggregateVersion });
    }
    const views: unknown[] = [];
    for (const { collection } of Object.values(this.#books))
      views.push((await listAll(this.#store, this.#tenant, collection)).map(({ id, value }) => ({ id, value })));
    const records = await exportAll(this.#store, this.#tenant).then(comparable, failed);
    return { records, states, views, heard: this.#heard };
  }

  async #do(deed: Deed): Promise<unknown> {
    const tenant = this.#tenant;
    switch (deed.do) {
      case "poll":
        return this.#poll(deed.thread, deed.limit);
      case "rewind":
        return this.#reader.rewind(tenant, "main", this.#books.main);
      case "redact":
        return this.#handlers[0]!.redact(tenant, Wallet, deed.id, ({ payload }) => ({ ...payload, isRedacted: true }));
      case "rest":
        this.#platform.turn(60 * 60 * 1000);
        return this.#store.status(tenant);
      case "suspend":
      case "open":
      case "erase":
        await this.#store[deed.do](tenant);
        return this.#store.status(tenant);
      case "copy": {
        const records = await exportAll(this.#store, tenant);
        this.#tenant = `${FIRST_NAME}-${++this.#copies}`;
        await this.#store.import(this.#tenant, stream(records));
        return comparable(records);
      }
      default:
        return this.#command(deed);
    }
  }

  async #command(deed: CommandDeed): Promise<unknown> {
    const { aggregate, events, replayed } = await this.#send(deed);
    return { state: { ...aggregate, version: aggregate.aggregateVersion }, events, replayed };
  }

  #send(deed: CommandDeed) {
    const actor = tellerOf(this.#tenant);
    const handler = this.#handlers[deed.by]!;
    const aggregateId = deed.id;
    const options = "key" in deed && deed.key !== undefined ? { commandId: deed.key } : {};
    switch (deed.do) {
      case "deposit":
      case "withdraw": {
        const expected = deed.expected === undefined ? {} : { expectedVersion: deed.expected };
        const data = { aggregateId, amount: deed.amount, ...expected };
        return handler.command(actor, deed.do === "deposit" ? "Deposit" : "Withdraw", data, options);
      }
      case "move":
        return handler.command(actor, "Move", { aggregateId, to: deed.to, amount: deed.amount }, options);
      case "compare":
        return handler.command(actor, "Compare", { aggregateId, with: deed.to });
      case "look":
        return handler.command(actor, "Look", { aggregateId });
      case "fail":
        return handler.command(actor, "Fail", { aggregateId });
      case "drain":
        return handler.command(actor, "Drain", { aggregateId });
      case "note":
        return handler.command(actor, "NoteMany", { aggregateId, count: deed.count, size: 3 });
    }
  }

  async #poll(thread: "main" | "side", limit: number): Promise<number> {
    const listener: IEventHandler<WalletEvents> = {
      name: "Listener",
      events: {
        Paid: (_tenant, { payload }, { id, version }) => void this.#heard.push(`${thread} ${id}@${version} ${payload.amount}`),
      },
    };
    return pollUntilIdle(this.#reader, this.#tenant, thread, [this.#books[thread], listener], { limit });
  }
}

/** Records without cursors at 0: where numbers before the first commit are unused, a reader has something to pass over. */
function comparable(records: readonly ExportRecord[]): readonly ExportRecord[] {
  return records.flatMap((record): readonly ExportRecord[] => {
    if (record.kind !== "thread") return [record];
    const moved = Object.entries(record.cursors).filter(([, position]) => position > 0);
    return moved.length === 0 ? [] : [{ ...record, cursors: Object.fromEntries(moved) }];
  });
}

/** An error as an answer; what is no error of Evenant's fails the property. */
function failed(error: unknown): unknown {
  if (!Err.is(error)) throw error;
  return { code: error.code, message: error.message };
}
