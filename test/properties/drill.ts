import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { CommandHandler, Err, type IEventStore, type ParkedEvent, StreamReader } from "../../core/index.ts";
import { readAll } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { CrashingStore } from "../support/crashing-store.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import { StrictStore } from "../support/strict-store.ts";
import type { TurnedClock } from "../support/turned-clock.ts";
import { Diary, Ledger } from "./ledger.ts";

/** One thread with a projection, and everything that readers and operators may do to it, in an order that a seed chooses. */
export class Drill {
  readonly random: SeededRandom;
  readonly store: IEventStore;
  readonly log: string[] = [];
  readonly poison = new Set<string>();
  /** Places that an operator passed over for good at some time. */
  readonly #decided = new Set<string>();
  readonly #ledger = new Ledger(this.poison);
  readonly #tenant: string;
  readonly #clock: TurnedClock;
  readonly #crashing: CrashingStore;
  readonly #reader: StreamReader;
  readonly #handler: CommandHandler<readonly [typeof Diary]>;
  #written = 0;

  /** Commands go to the first of the stores, readers to the last. */
  constructor(seed: number, stores: readonly IEventStore[], clock: TurnedClock, tenant: string) {
    this.random = seededRandom(seed);
    this.#clock = clock;
    this.#tenant = tenant;
    this.store = stores[0]!;
    this.#crashing = new CrashingStore(new StrictStore(stores.at(-1)!));
    this.#handler = new CommandHandler(this.store, [Diary] as const, { platform: clock });
    const [onError, park] = [this.#one(["halt", "park"] as const), this.#one(["event", "aggregate"] as const)];
    // Whoever waits lets the time pass: also beyond the lease of whoever died, or is slow.
    const sleep = async (ms: number) => {
      this.#clock.turn(ms);
      await setImmediate();
    };
    const platform = { ...this.#clock, now: () => this.#clock.now(), sleep };
    this.#reader = new StreamReader(this.#crashing, { platform, retries: this.random.below(2), onError, park });
    this.log.push(`${onError} ${park}`);
  }

  #one<T>(of: readonly T[]): T {
    return of[this.random.below(of.length)] as T;
  }

  async #parked(): Promise<readonly ParkedEvent[]> {
    return (await this.store.parked(this.#tenant, "main", { limit: 1_000 })).parked;
  }

  readonly moves: Readonly<Record<string, () => Promise<unknown>>> = {
    write: async () => {
      const texts = Array.from({ length: 1 + this.random.below(3) }, () => `${++this.#written}`);
      for (const text of texts) if (this.random.chance(0.15)) this.poison.add(text);
      await this.#handler.command(actorOf(this.#tenant), "Write", { aggregateId: `d${this.random.below(3)}`, texts });
    },
    poll: () => this.#reader.poll(this.#tenant, "main", [this.#ledger], { limit: 1 + this.random.below(4) }),
    wait: async () => this.#clock.turn(10_000),
    mend: async () => this.poison.delete(this.#one([...this.poison])),
    spoil: async () => this.#written > 0 && this.poison.add(`${1 + this.random.below(this.#written)}`),
    resume: () => this.#reader.resume(this.#tenant, "main", "Ledger"),
    skip: () => this.#reader.skip(this.#tenant, "main", "Ledger", "skipped"),
    skipParked: async () => {
      const parked = await this.#parked();
      if (parked.length > 0) await this.#reader.skipParked(this.#tenant, "main", this.#one(parked), "passed over");
    },
    retryAll: () => this.#reader.retryParked(this.#tenant, "main", this.#ledger),
    retryOne: async () => {
      const parked = await this.#parked();
      if (parked.length > 0) await this.#reader.retryParked(this.#tenant, "main", this.#ledger, this.#one(parked));
    },
    rewind: () => this.#reader.rewind(this.#tenant, "main", this.#ledger),
    rebuild: () =>
      this.#reader.rebuild(this.#tenant, "main", this.#ledger, {
        limit: 1 + this.random.below(5),
        hold: this.random.chance(0.3),
      }),
    rollback: () => this.#reader.rollback(this.#tenant, "main", this.#ledger, { limit: 1 + this.random.below(5) }),
    forget: () => this.#reader.forget(this.#tenant, "main", "Ledger"),
    discard: () => this.#reader.discard(this.#tenant, "main", this.#ledger),
  };

  /** Makes one move, which may die at any of its writes, perhaps while another one is made; then checks. */
  async step(): Promise<void> {
    const names = Object.keys(this.moves);
    const common = ["write", "write", "poll", "poll", "poll", "wait", "mend"];
    const pick = () => (this.random.chance(0.5) ? this.#one(common) : this.#one(names));
    const chosen = this.random.chance(0.2) ? [pick(), pick()] : [pick()];
    const mayDie = this.random.chance(0.2);
    let isDead = false;
    this.#crashing.crash = () => {
      if (!mayDie || !this.random.chance(0.3)) return undefined;
      isDead = true;
      return this.random.chance(0.5) ? "before" : "after";
    };
    this.log.push(`${chosen.join(" & ")}${mayDie ? " (may die)" : ""}`);
    const ends = await Promise.allSettled(chosen.map((name) => this.moves[name]?.()));
    for (const end of ends) {
      if (end.status === "fulfilled") continue;
      const { reason } = end;
      const isRefused = Err.is(reason) && ["precondition", "not_found", "invalid_argument"].includes(reason.code);
      this.log.push(`  ${String(reason?.message).slice(0, 150)}`);
      if (!isRefused && !/reader died/.test(String(reason?.message))) throw reason;
    }
    if (isDead) this.#clock.turn(61_000);
    this.#crashing.crash = () => undefined;
    await this.check();
  }

  /** Once nothing is poison any more, everything goes on, and a rebuild works. */
  async settle(): Promise<void> {
    this.log.push("settle");
    this.poison.clear();
    this.#clock.turn(61_000);
    await this.#reader.resume(this.#tenant, "main", "Ledger").catch(() => {});
    for (let polls = 0; polls < 100; polls++) {
      const { status } = await this.#reader.poll(this.#tenant, "main", [this.#ledger]);
      if (status === "idle") break;
    }
    await this.#reader.retryParked(this.#tenant, "main", this.#ledger);
    await this.check();
    const { cursors } = (await this.store.peek(this.#tenant, "main")).thread;
    const { generation = 0 } = cursors.Ledger ?? {};
    const waiting = (await this.#parked()).filter((one) => one.reason === undefined && (one.generation ?? 0) === generation);
    expect(waiting, "what still waits").to.deep.equal([]);
    if (cursors.Ledger === undefined) return;
    const rebuild = () => this.#reader.rebuild(this.#tenant, "main", this.#ledger);
    const rebuilt = await rebuild().catch(async (error: Error) => {
      if (!/discard them, and rebuild/.test(error.message)) throw error;
      await this.#reader.discard(this.#tenant, "main", this.#ledger);
      return rebuild();
    });
    expect(rebuilt.status).to.equal("switched");
    await this.check();
  }

  /** Every event that was passed is in the views once, or among the dead letters. */
  async check(): Promise<void> {
    for (const { position, index, reason } of await this.#parked())
      if (reason !== undefined) this.#decided.add(`${position}/${index}`);
    const { thread } = await this.store.peek(this.#tenant, "main");
    const live = thread.cursors.Ledger;
    if (live === undefined || live.isClearing) return;
    const [pointer] = await this.store.views(this.#tenant, "ledger~live").get(["live"]);
    const place = (generation: number) => (generation ? "ledger~1" : "ledger");
    expect(pointer?.collection ?? "ledger", "the pointer").to.equal(place(live.generation ?? 0));
    await this.#checkViews(place(live.generation ?? 0), live.generation ?? 0, live);
    if (live.retired !== undefined) {
      const other = live.generation ? 0 : 1;
      const side = (await this.store.peek(this.#tenant, "ledger~rebuild")).thread.cursors.Ledger;
      if (side?.isClearing) return;
      await this.#checkViews(place(other), other, side?.generation === other ? side : live.retired, true);
    }
  }

  async #checkViews(
    place: string,
    generation: number,
    {
      position,
      failure,
    }: { readonly position: number; readonly failure?: { readonly position: number; readonly index: number } },
    isRetired = false,
  ): Promise<void> {
    const { views } = await this.store.views(this.#tenant, place).list({ limit: 1_000 });
    const texts = views.flatMap(({ value }) => value.texts as readonly string[]);
    expect(new Set(texts).size, `${place} has each text once: ${texts}`).to.equal(texts.length);
    const parked = await this.#parked();
    const { commits } = await readAll({ store: this.store, clock: this.#clock }, this.#tenant);
    for (const commit of commits) {
      for (const [index, event] of commit.events.entries()) {
        const text = String(event.payload.text);
        const isPassed = commit.position <= position || (failure?.position === commit.position && index < failure.index);
        const record = parked.find((one) => one.position === commit.position && one.index === index);
        const isWaiting = record !== undefined && record.reason === undefined && (record.generation ?? 0) === generation;
        const isThere = texts.includes(text);
        const isDecided = record?.reason !== undefined || (isRetired && this.#decided.has(`${commit.position}/${index}`));
        const what = `${text} in ${place}, ${JSON.stringify(record)}, cursor ${position} ${JSON.stringify(failure)}`;
        if (!isPassed) expect(isThere, `${what} came too early`).to.equal(false);
        else if (isThere) expect(isWaiting, `${what} is there and waits`).to.equal(false);
        else expect(isWaiting || isDecided, `${what} is lost`).to.equal(true);
      }
    }
  }
}
