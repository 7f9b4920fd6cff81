import { expect } from "chai";
import { Aggregate, type CommandContext, CommandHandler, type EventOf, StreamReader } from "../../core/index.ts";
import { pending, TYPE } from "../contract/pending.ts";
import { Bookkeeper, tellerOf, Wallet } from "../contract/wallet.ts";
import { grow, hold, moves } from "../contract/writing.ts";
import { type CountedStore, countedStore } from "../support/firestore-counted.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { seededRandom } from "../support/seeded-random.ts";

const TENANT = "counted";

/** A counter that keeps no snapshot on every commit. */
class Counter extends Aggregate<{ Counted: { by: number } }> {
  static readonly path = "/counters";
  static readonly access = { Count: ["teller"] } as const;
  static readonly snapshot = { every: 1_000 };
  count = 0;

  get commands() {
    return { Count: (context: CommandContext<Counter, { by: number }>) => context.push("Counted") };
  }

  get events() {
    return {
      Counted: ({ payload }: EventOf<Counter, "Counted">) => {
        this.count += payload.by;
      },
    };
  }
}

/** What a request that answers at once costs. */
function cost(reads: number, writes: number) {
  return { reads, writes, trips: 1, moves: 0 };
}

describe("What Firestore is asked for", function () {
  this.timeout(60_000);
  let counted: CountedStore;
  beforeEach(async function () {
    needsFirestore(this);
    counted = await countedStore();
    await counted.store.open(TENANT);
  });
  afterEach(() => counted?.close());

  it("is 0 reads and 2 writes for a warm command, 3 writes with a snapshot, and one more with a commandId", async () => {
    const handler = new CommandHandler(counted.store, [Wallet, Counter]);
    const teller = tellerOf(TENANT);
    const count = () => handler.command(teller, "Count", { by: 1, aggregateId: "a" });
    const deposit = () => handler.command(teller, "Deposit", { amount: 1, aggregateId: "a" });
    let counts = 0;
    const countOnce = () => handler.command(teller, "Count", { by: 1, aggregateId: "a" }, { commandId: `c-${counts++}` });
    for (const [send, writes] of [
      [count, 2],
      [deposit, 3],
      [countOnce, 3],
    ] as const) {
      await send();
      for (let times = 0; times < 5; times++) expect(await counted.costOf(send)).to.deep.equal(cost(0, writes));
    }
  });

  it("is one write a commit and one for the whole group, and one for each snapshot", async () => {
    for (const size of [1, 2, 16, 100]) {
      const group = (snapshot?: { schema: number; state: object }) =>
        Array.from({ length: size }, (_, n) =>
          pending({ id: `${snapshot ? "s" : "g"}${size}-${n}`, version: 0, ...(snapshot && { snapshot: snapshot as never }) }),
        );
      const bare = await counted.costOf(() => counted.store.commit(TENANT, group()));
      expect(bare, `${size}`).to.deep.equal(cost(0, size + 1));
      const full = await counted.costOf(() => counted.store.commit(TENANT, group({ schema: 0, state: {} })));
      expect(full, `${size} with snapshots`).to.deep.equal(cost(0, 2 * size + 1));
    }
  });

  it("is two round trips for a cold load, and three reads where the snapshot is current", async () => {
    await grow(counted.store, TENANT, "a", 5, { snapshots: true });
    const cold = await countedStore({}, counted.projectId);
    const load = () => cold.store.load({ tenant: TENANT, type: TYPE, id: "a" });
    expect(await cold.costOf(load)).to.deep.include({ reads: 3, writes: 0 });
    expect(await cold.costOf(load), "the tenant is known now").to.deep.include({ reads: 2, writes: 0, trips: 2 });
    await cold.close();
  });

  it("is 2 reads and 0 writes for a poll with nothing to do", async () => {
    const reader = new StreamReader(counted.store);
    await grow(counted.store, TENANT, "a", 3);
    await reader.poll(TENANT, "main", [new Bookkeeper()]);
    const idle = () => reader.poll(TENANT, "main", [new Bookkeeper()]);
    for (let times = 0; times < 3; times++) expect(await counted.costOf(idle)).to.deep.equal(cost(2, 0));
    const cold = await countedStore({}, counted.projectId);
    expect(await cold.costOf(() => new StreamReader(cold.store).poll(TENANT, "main", [new Bookkeeper()]))).to.deep.equal(
      cost(2, 0),
    );
    await cold.close();
  });

  it("is 2 reads for the lag of a thread with nothing to do, and at most 2 more for one that is far behind", async () => {
    const reader = new StreamReader(counted.store);
    await grow(counted.store, TENANT, "a", 2);
    const handlers = [new Bookkeeper(), new Bookkeeper("others", "Other")];
    await reader.poll(TENANT, "main", handlers);
    const lag = () => reader.lag(TENANT, "main");
    expect(await counted.costOf(lag)).to.deep.equal(cost(2, 0));
    for (let sent = 0; sent < 300; sent += 50) {
      const group = Array.from({ length: 50 }, (_, n) => pending({ id: `lag${sent + n}`, version: 0 }));
      await counted.store.commit(TENANT, group);
    }
    // A reader that is up to date moves what the other has not read yet to pages.
    const { moves } = await counted.costOf(async () => {
      for (let more = true; more; ) ({ more } = await reader.poll(TENANT, "beside", [{ name: "Ahead", events: {} }]));
      await counted.store.close();
    });
    expect(moves).to.be.above(0);
    const cold = await countedStore({}, counted.projectId);
    const spent = await cold.costOf(async () => {
      expect((await new StreamReader(cold.store).lag(TENANT, "main")).Bookkeeper).to.include({ position: 2, commits: 300 });
    });
    expect(spent.reads).to.be.within(3, 4);
    expect(spent.writes).to.equal(0);
    await cold.close();
  });

  it("is 2 reads and 2 writes, in two round trips, for the first lease of a thread", async () => {
    const lease = () => hold(counted.store, TENANT, "main");
    expect(await counted.costOf(lease)).to.deep.equal({ ...cost(2, 2), trips: 2 });
  });

  it("is at most n + 2 + ceil(n/64) reads and 2 writes for polling n commits, by a warm and by a cold reader", async () => {
    const heard: number[] = [];
    const listener = {
      name: "Listener",
      events: { Changed: async (_: string, __: unknown, commit: { position: number }) => void heard.push(commit.position) },
    };
    await moves(counted.store, await hold(counted.store, TENANT, "main"), { leasedUntil: 0 });
    let version = 0;
    for (const [size, limit] of [
      [1, 100],
      [30, 100],
      [64, 64],
      [100, 50],
      [300, 1_000],
      [130, 7],
      [5, 3],
    ] as const) {
      for (let sent = 0; sent < size; sent += 50) {
        const group = Array.from({ length: Math.min(50, size - sent) }, () => pending({ id: `p${version++}`, version: 0 }));
        await counted.store.commit(TENANT, group);
      }
      for (let status = "progressed"; status === "progressed"; ) {
        const isCold = version % 2 === 0;
        const one = isCold ? await countedStore({}, counted.projectId) : counted;
        const before = heard.length;
        const spent = await one.costOf(async () => {
          ({ status } = await new StreamReader(one.store).poll(TENANT, "main", [listener], { limit }));
        });
        const n = heard.length - before;
        expect(spent.reads, `${n} of ${size}`).to.be.at.most(n + 2 + Math.ceil(n / 64));
        expect(spent.writes, `${n} of ${size}`).to.equal(n === 0 ? 0 : 2);
        expect(spent.trips, `${n} of ${size}`).to.be.within(n === 0 ? 1 : 3, n === 0 ? 1 : 5);
        if (isCold) await one.close();
      }
    }
    expect(heard).to.deep.equal(Array.from({ length: version }, (_, index) => index + 1));
  });

  it("is on average at most 1/16 read a command for looking how full the log is, and 1/20 write for moving refs away", async () => {
    const random = seededRandom(7);
    const looking = await countedStore({ random: () => random.next() }, counted.projectId);
    const commands = 640;
    const spent = await looking.costOf(async () => {
      for (let n = 0; n < commands; n += 8) {
        const group = Array.from({ length: 8 }, (_, k) => pending({ id: `l${n + k}`, version: 0 }));
        await looking.store.commit(TENANT, group);
      }
      await looking.store.close();
    });
    expect(spent.reads)
      .to.be.above(0)
      .and.at.most(commands / 16);
    expect(spent.moves)
      .to.be.above(0)
      .and.at.most(commands / 20);
    const { refs, base } = (await counted.client.doc(`tenants/${TENANT}/log/open`).get()).data() as {
      refs: string[];
      base: number;
    };
    expect(base + refs.length).to.equal(commands);
    expect(refs.length).to.be.below(512);
    await looking.client.terminate();
  });
});
