import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { type IEventStore, StoreError } from "../../core/index.ts";
import { pending } from "../contract/pending.ts";
import { commits, grow } from "../contract/writing.ts";
import { rejects } from "../support/rejects.ts";
import { temporaryFolder } from "../support/sqlite-folder.ts";
import { type Acknowledged, startSender } from "../support/sqlite-senders.ts";

const SEED = Number(process.env.SQLITE_SEED ?? 20_251);
const TENANT = "shared";

describe(`several processes on one SQLite file (SQLITE_SEED=${SEED})`, function () {
  this.timeout(30_000);
  const newPath = temporaryFolder();

  it("lose nothing and leave no hole when 4 processes create the file at once and send 200 commits each to 5 aggregates", async () => {
    const path = newPath();
    const senders = [0, 1, 2, 3].map((index) => startSender(path, TENANT, { count: 200, seed: SEED + index }));
    // Together on purpose: they are to race.
    expect(await Promise.all(senders.map(({ ended }) => ended))).to.deep.equal([0, 0, 0, 0]);
    const acknowledged = senders.flatMap((sender) => sender.acknowledged);
    expect(acknowledged.length).to.equal(800);
    await withStore(path, async (store) => {
      const { commits: order } = await store.read(TENANT, 0, 1_000);
      expect(order.map(({ position }) => position)).to.deep.equal(Array.from({ length: 800 }, (_, index) => index + 1));
      await expectKept(store, acknowledged);
      const versions = new Map<string, number>();
      for (const { id, version } of order) {
        expect(version, `version of ${id}`).to.equal(versions.get(id) ?? 0);
        versions.set(id, version + 1);
      }
      for (const [id, count] of versions) {
        const { snapshot, commits: rest } = await store.load({ tenant: TENANT, type: "account", id });
        expect(snapshot?.version).to.equal(count - 1);
        expect(snapshot?.state).to.deep.equal({ version: count - 1 });
        expect(rest).to.deep.equal([]);
      }
    });
  });

  it("keep every acknowledged commit of a writer that is killed", async () => {
    const path = newPath();
    const kill = 150 + (SEED % 50);
    const senders = [1, 2].map((index) =>
      startSender(path, TENANT, {
        count: 100_000,
        seed: SEED + index,
        told: ({ acknowledged, child }) => acknowledged.length === kill && child.kill("SIGKILL"),
      }),
    );
    expect(await Promise.all(senders.map(({ ended }) => ended))).to.deep.equal([null, null]);
    await withStore(path, async (store) => {
      const { commits: order } = await store.read(TENANT, 0, 1_000);
      expect(order.length).to.be.at.least(2 * kill);
      expect(order.map(({ position }) => position)).to.deep.equal(order.map((_, index) => index + 1));
      for (const { acknowledged } of senders) await expectKept(store, acknowledged);
      await commits(store, TENANT, pending({ id: "afterwards", version: 0 }));
    });
  });

  it("ring for each other's commits", async () => {
    const path = newPath();
    await withStore(path, async (store) => {
      await store.open(TENANT);
      await store.open("quiet");
      const stop = new AbortController();
      let quietRings = 0;
      const rung = new Promise<void>((resolve) => store.watch?.(TENANT, resolve, stop.signal));
      store.watch?.("quiet", () => quietRings++, stop.signal);
      await wait(60);
      quietRings = 0;
      const sender = startSender(path, TENANT, { count: 1, seed: SEED });
      await rung;
      expect(await sender.ended).to.equal(0);
      expect(quietRings).to.equal(0);
      stop.abort();
    });
  });

  it("wait for a lock without blocking the event loop, and go on when it is free", async () => {
    const path = newPath();
    await withStore(path, async (store) => {
      await grow(store, await opened(store), "a", 1);
      const other = new DatabaseSync(path);
      other.exec("BEGIN IMMEDIATE");
      const sent = commits(store, TENANT, pending({ id: "a", version: 1 }));
      const ticks = await ticksIn(200);
      expect((await store.load({ tenant: TENANT, type: "account", id: "a" })).commits.length).to.equal(1);
      other.exec("COMMIT");
      other.close();
      await sent;
      expect(ticks, "timer ticks of 5 ms in 200 ms").to.be.above(10);
    });
  });

  it("give up at the deadline, having written nothing", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path, deadline: 100 });
    await grow(store, await opened(store), "a", 1);
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const error = await rejects(StoreError, store.commit(TENANT, [pending({ id: "a", version: 1 })]));
    other.exec("ROLLBACK");
    other.close();
    expect(error).to.include({ retryable: true, outcome: "none" });
    expect(error.message).to.include("locked by another process");
    await grow(store, TENANT, "a", 1, { version: 1 });
    await store.close();
  });
});

async function withStore(path: string, use: (store: IEventStore) => Promise<void>): Promise<void> {
  const store = new SqliteEventStore({ path });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

async function opened(store: IEventStore): Promise<string> {
  await store.open(TENANT);
  return TENANT;
}

async function expectKept(store: IEventStore, acknowledged: readonly Acknowledged[]): Promise<void> {
  const { commits: order } = await store.read(TENANT, 0, 1_000);
  for (const { commitId, type, id, version, position } of acknowledged) {
    expect(order[position - 1]).to.include({ commitId, type, id, version, position });
  }
}

async function ticksIn(ms: number): Promise<number> {
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  await wait(ms);
  clearInterval(timer);
  return ticks;
}
