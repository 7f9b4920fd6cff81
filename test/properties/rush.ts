import { expect } from "chai";
import { CommandHandler, Err, type IEventStore, type IPlatform, type PositionedCommit, StreamReader } from "../../core/index.ts";
import { exportAll, readAll, stream } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import type { SeededRandom } from "../support/seeded-random.ts";
import { Book, pagesOf, readPages } from "./book.ts";
import { type Landed, landed, serially } from "./landed.ts";
import { Till, TillOfNow } from "./till.ts";
import { eventsOf, type Sent } from "./till-model.ts";

/** A process: the store and the clock as it has them. */
export interface Site {
  readonly store: IEventStore;
  readonly platform: IPlatform;
}

/** A command that was sent, and what its sender was told. */
export interface Told {
  readonly sent: Sent;
  /** The stirs that were over when it was sent; -1 during one. */
  readonly stirs: number;
  outcome: "acknowledged" | "refused" | "unknown";
  commitId?: string;
  cents?: number;
  version?: number;
  /** Whether a stir came between. */
  isStirred: boolean;
}

const NAMES = ["Pay", "Pay", "Pay", "Take", "Carry", "Mirror", "Compare", "Stow", "Check", "Draw", "Hoard", "Empty"] as const;
const IDS = ["a", "b", "c"];
/** What may be said to whom asks at a bad moment. */
const REFUSALS = ["precondition", "authorization", "concurrency", "tenant", "not_found", "store"];

/** Several processes that send commands, read, redact and operate at the same time on one tenant. */
export class Rush {
  readonly #random: SeededRandom;
  readonly #sites: readonly Site[];
  readonly #tenant: string;
  readonly #told: Told[] = [];
  readonly #mostStirs: number;
  #stirs = 0;
  #isStirring = false;
  #isOver = false;

  constructor(random: SeededRandom, sites: readonly Site[], tenant: string) {
    this.#random = random;
    this.#sites = sites;
    this.#tenant = tenant;
    this.#mostStirs = random.below(3);
  }

  /** Lets everybody work until the senders have sent what they had. */
  async run(commands: number): Promise<void> {
    const sending = [0, 1, 2, 3].map((number) => this.#send(number, commands));
    const reading = [0, 1].map((number) => this.#read(number));
    const redacting = [0, 1].map((number) => this.#redact(number));
    const operating = this.#operate();
    try {
      await Promise.all(sending);
    } finally {
      this.#isOver = true;
    }
    await Promise.all([...reading, ...redacting, operating]);
  }

  /** What holds once everybody is gone. */
  async check(store: IEventStore, clock: IPlatform & { turn(ms: number): void }): Promise<void> {
    await store.open(this.#tenant);
    const { commits } = await readAll({ store, clock }, this.#tenant);
    const groups = landed(commits);
    const order = serially(groups, this.#sentBy(groups));
    this.#checkTold(groups, order);
    const reader = new StreamReader(store, { platform: clock });
    clock.turn(60_000);
    for (let polls = 0; polls < 100; polls++) {
      const { status } = await reader.poll(this.#tenant, "main", [new Book()]);
      if (status === "idle") break;
      if (status !== "progressed") clock.turn(60_000);
    }
    expect(await readPages(reader, this.#tenant), "the book").to.deep.equal(pagesOf(eventsOf(order)));
  }

  /** Which command made a commit, as far as somebody was told. */
  #sentBy(groups: readonly Landed[]): ReadonlyMap<string, Sent> {
    const byKey = new Map(this.#told.map(({ sent }) => [sent.key, sent] as const));
    const known = groups.map(({ commitId, key }) => {
      const told = this.#told.find((one) => one.outcome === "acknowledged" && one.commitId === commitId);
      return [commitId, told?.sent ?? (key === undefined ? undefined : byKey.get(key))] as const;
    });
    return new Map(known.filter((one): one is readonly [string, Sent] => one[1] !== undefined));
  }

  #checkTold(groups: readonly Landed[], order: readonly { readonly cents: number }[]): void {
    expect(order.length).to.equal(groups.reduce((sum, { writes }) => sum + writes.length, 0));
    const keys = groups.flatMap(({ key }) => (key === undefined ? [] : [key]));
    expect(new Set(keys).size, "each commandId is carried out once").to.equal(keys.length);
    const byId = new Map(groups.map((group) => [group.commitId, group]));
    for (const told of this.#told) {
      const { sent, outcome, commitId } = told;
      const what = JSON.stringify(told);
      const isOnly = (one: Told) => one === told || one.sent.key !== sent.key;
      if (outcome === "refused" && sent.key !== undefined && this.#told.every(isOnly))
        expect(keys.includes(sent.key), `${what} was refused`).to.equal(false);
      if (outcome !== "acknowledged" || told.isStirred || !commitId) continue;
      const group = byId.get(commitId);
      expect(group, `${what} was acknowledged`).to.not.equal(undefined);
      if (sent.key !== undefined) expect(group?.key, what).to.equal(sent.key);
      const own = group?.writes.find(({ id, type }) => id === sent.id && type === typeOf(sent));
      if (own !== undefined) expect([own.version, own.after], what).to.deep.equal([told.version, told.cents]);
    }
  }

  async #send(number: number, commands: number): Promise<void> {
    const { store, platform } = this.#siteOf(number);
    const Type = (number < 2 ? Till : TillOfNow) as typeof Till;
    const handler = new CommandHandler(store, [Type, Type.safes] as const, { platform });
    for (let n = 0; n < commands; n++) {
      const earlier = this.#told.filter(({ sent }) => sent.key !== undefined);
      const again = this.#random.chance(0.15) ? this.#one(earlier)?.sent : undefined;
      const sent = again ?? this.#newSent(`${number}-${n}`);
      const told: Told = { sent, stirs: this.#isStirring ? -1 : this.#stirs, outcome: "unknown", isStirred: true };
      this.#told.push(told);
      const { id: aggregateId, to, amount, verify, key } = sent;
      const data = { aggregateId, to, amount, verify };
      try {
        const options = key === undefined ? {} : { commandId: key };
        const context = await handler.command(actorOf(this.#tenant), sent.name, data as never, options);
        const { cents, aggregateVersion } = context.aggregate as Till;
        const isEmpty = context.events.length === 0 && (context.replayed || sent.name !== "Mirror");
        Object.assign(told, { outcome: "acknowledged", cents, version: aggregateVersion });
        if (!isEmpty) told.commitId = context.commitId;
      } catch (error) {
        if (!Err.is(error) || !REFUSALS.includes(error.code)) throw error;
        told.outcome = Err.is(error, "store") && error.outcome === "unknown" ? "unknown" : "refused";
        // Commands are not wasted on a closed tenant.
        if (error.code === "tenant") await platform.sleep(5 + this.#random.below(40));
      }
      told.isStirred = this.#isStirring || told.stirs !== this.#stirs;
    }
  }

  #newSent(key: string): Sent {
    const [id, to] = this.#random.chance(0.5) ? ["a", "b"] : [this.#one(IDS)!, "c"];
    const name = this.#one(NAMES)!;
    const other = id === to && name !== "Stow" && name !== "Check" ? "a" : to;
    const facts = { name, id, to: other, amount: 1 + this.#random.below(4), verify: this.#random.chance(0.8) };
    return { ...facts, ...(this.#random.chance(0.6) && { key }) };
  }

  async #read(number: number): Promise<void> {
    const { store, platform } = this.#siteOf(number);
    const reader = new StreamReader(store, { platform });
    const facts = [this.#tenant, "main"] as const;
    const book = new Book();
    while (!this.#isOver) {
      await this.#tolerating(async () => {
        const what = this.#one(["poll", "poll", "poll", "poll", "rebuild", "rollback", "rewind", "discard"] as const)!;
        if (what === "poll") await reader.poll(...facts, [book], { limit: 1 + this.#random.below(9) });
        else if (what === "rebuild" || what === "rollback")
          await reader[what](...facts, book, { limit: 1 + this.#random.below(9) });
        else await reader[what](...facts, book);
      });
      await platform.sleep(1 + this.#random.below(5));
    }
  }

  /** Rewrites tills and safes, to what they were: so every command stays right at its place, before a note and after it. */
  async #redact(number: number): Promise<void> {
    const { store, platform } = this.#siteOf(number);
    const Type = (number === 0 ? Till : TillOfNow) as typeof Till;
    const handler = new CommandHandler(store, [Type, Type.safes] as const, { platform });
    while (!this.#isOver) {
      await platform.sleep(1 + this.#random.below(40));
      const id = this.#one(IDS)!;
      await this.#tolerating(() =>
        handler.redact(this.#tenant, this.#random.chance(0.7) ? Type : Type.safes, id, ({ payload }) => payload),
      );
    }
  }

  /** Suspends and opens, and moves the tenant out and in again, from a copy of its own. */
  async #operate(): Promise<void> {
    const { store, platform } = this.#siteOf(1);
    while (!this.#isOver) {
      await platform.sleep(1 + this.#random.below(8));
      const what = this.#one(["suspend", "open", this.#stirs < this.#mostStirs ? "stir" : "open"] as const);
      if (what === "suspend") await this.#tolerating(() => store.suspend(this.#tenant));
      if (what === "stir") await this.#stir(store, platform);
      await this.#tolerating(() => store.open(this.#tenant));
    }
  }

  async #stir(store: IEventStore, platform: IPlatform): Promise<void> {
    this.#isStirring = true;
    const records = await this.#insisting(platform, () => exportAll(store, this.#tenant));
    const commits = records.flatMap((record) =>
      record.kind === "commit" ? [{ ...record.commit, position: record.position }] : [],
    );
    serially(landed(commits as readonly Omit<PositionedCommit, "tenant">[]), new Map());
    await this.#insisting(platform, async () => {
      await store.erase(this.#tenant);
      await store.import(this.#tenant, stream(records));
    });
    this.#stirs++;
    this.#isStirring = false;
  }

  async #insisting<T>(platform: IPlatform, act: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await act();
      } catch (error) {
        if (!Err.is(error) || !["store", "tenant"].includes(error.code) || tries === 100) throw error;
        await platform.sleep(1);
      }
    }
  }

  async #tolerating(act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!Err.is(error) || !REFUSALS.includes(error.code)) throw error;
    }
  }

  #siteOf(number: number): Site {
    return this.#sites[number % this.#sites.length]!;
  }

  #one<T>(of: readonly T[]): T | undefined {
    return of[this.#random.below(of.length)];
  }
}

function typeOf({ name }: Sent): string {
  return name === "Hoard" || name === "Empty" ? "safes" : "tills";
}
