import { expect } from "chai";
import { type IEventStore, StreamReader } from "../../core/index.ts";
import { listAll, readAll } from "../contract/reading.ts";
import { Bookkeeper } from "../contract/wallet.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { firestoreClient, firestoreStore, newProject } from "../support/firestore-store.ts";
import { startWorker, type Worker } from "../support/firestore-workers.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const PROCESSES = 8;
const COMMANDS = Number(process.env.FIRESTORE_COMMANDS ?? 50);
/** How many commits short-lived writers fill a log with, and for how many seconds at most: 20,000 take 35 to 60 s here. */
const FLASH_SECONDS = Number(process.env.FIRESTORE_FLASH_SECONDS ?? 90);
const FLASH_COMMITS = Number(process.env.FIRESTORE_FLASH_COMMITS ?? 20_000);
const KILLS = Number(process.env.FIRESTORE_KILLS ?? 50);
/** On so many tenants at the same time, so that one is read while the leases of killed readers run out on others. */
const KILLED_TENANTS = 5;

describe("Several processes on one tenant in Firestore", function () {
  this.timeout(240_000 + KILLS * 8_000);
  const clock = new TurnedClock();
  const projectId = newProject();
  let store: IEventStore;

  before(async function () {
    needsFirestore(this);
    store = await firestoreStore({}, projectId);
  });
  after(() => store?.close());

  async function sending(tenant: string, idOf: (n: number) => string): Promise<number> {
    await store.open(tenant);
    const begun = performance.now();
    const workers = await Promise.all(
      Array.from({ length: PROCESSES }, (_, n) => startWorker("send", { projectId, tenant }, [idOf(n), COMMANDS])),
    );
    expect(await Promise.all(workers.map(({ ended }) => ended))).to.deep.equal(workers.map(() => 0));
    return performance.now() - begun;
  }

  it(`carry ${PROCESSES} x ${COMMANDS} commands out on different aggregates: a dense log, each aggregate in order`, async () => {
    await sending("apart", (n) => `wallet-${n}`);
    const { commits } = await readAll({ store, clock }, "apart");
    expect(commits.map(({ position }) => position)).to.deep.equal(Array.from({ length: PROCESSES * COMMANDS }, (_, n) => n + 1));
    for (let n = 0; n < PROCESSES; n++) {
      const versions = commits.filter(({ id }) => id === `wallet-${n}`).map(({ version }) => version);
      expect(versions).to.deep.equal(Array.from({ length: COMMANDS }, (_, version) => version));
    }
  });

  it(`carry ${PROCESSES} x ${COMMANDS} commands out on one aggregate: every version once`, async () => {
    await sending("together", () => "wallet");
    const { commits } = await readAll({ store, clock }, "together");
    expect(commits.map(({ version }) => version)).to.deep.equal(Array.from({ length: PROCESSES * COMMANDS }, (_, n) => n));
  });

  it(`keep the open log below 512 refs with short-lived writers and no reader (up to ${FLASH_COMMITS} commits)`, async () => {
    await store.open("flash");
    const client = await firestoreClient(projectId);
    let most = 0;
    const stop = client.doc("tenants/flash/log/open").onSnapshot((log) => {
      most = Math.max(most, (log.data()?.refs as readonly string[] | undefined)?.length ?? 0);
    });
    const workers = await Promise.all(
      [0, 1].map((n) => startWorker("flash", { projectId, tenant: "flash" }, [`f${n}`, FLASH_SECONDS, 2, FLASH_COMMITS / 2])),
    );
    expect(await Promise.all(workers.map(({ ended }) => ended))).to.deep.equal([0, 0]);
    stop();
    await client.terminate();
    const sent = workers.reduce((sum, { told }) => sum + Number(told.at(-1)?.sent), 0);
    console.log(`      ${sent} commits, at most ${most} refs`);
    expect(most).to.be.above(0).and.at.most(512);
    const { commits } = await readAll({ store, clock }, "flash", { limit: 1_000 });
    expect(commits.map(({ position }) => position)).to.deep.equal(Array.from({ length: sent }, (_, n) => n + 1));
    expect(new Set(commits.map(({ id }) => id)).size).to.equal(sent);
  });

  it("leave nothing of a tenant that is erased while two warm processes write to it, and nothing comes back", async () => {
    await store.open("gone");
    const workers = await Promise.all([0, 1].map((n) => startWorker("hammer", { projectId, tenant: "gone" }, [`w${n}`])));
    await Promise.all(workers.map((worker) => isWarm(worker)));
    await store.erase("gone");
    expect(await Promise.all(workers.map(({ ended }) => ended))).to.deep.equal([0, 0]);
    for (const { told } of workers) expect(told.at(-1)).to.include({ code: "tenant", status: "erased" });
    const client = await firestoreClient(projectId);
    const left = await client.doc("tenants/gone").listCollections();
    expect(left.map(({ id }) => id)).to.deep.equal([]);
    await client.terminate();
  });

  it("book each of 500 commits once, with 8 pollers on one thread while they arrive", async () => {
    await store.open("polled");
    const total = 500;
    const pollers = await Promise.all(
      Array.from({ length: PROCESSES }, () => startWorker("poll", { projectId, tenant: "polled" }, [total, 20])),
    );
    const writers = await Promise.all(
      [0, 1].map((n) => startWorker("send", { projectId, tenant: "polled" }, [`w${n}`, total / 2])),
    );
    expect(await Promise.all(writers.map(({ ended }) => ended))).to.deep.equal([0, 0]);
    expect(await Promise.all(pollers.map(({ ended }) => ended))).to.deep.equal(pollers.map(() => 0));
    await expectBooked("polled", total);
  });

  it(`book each commit once, although ${KILLS} readers are killed between handling and cursor`, async () => {
    await Promise.all(Array.from({ length: KILLED_TENANTS }, (_, n) => bookDespiteKills(`killed-${n}`, KILLS / KILLED_TENANTS)));
  });

  async function bookDespiteKills(tenant: string, kills: number): Promise<void> {
    await store.open(tenant);
    // More than the readers can book before they are killed, so that each finds something.
    const total = kills * 12;
    const writer = await startWorker("send", { projectId, tenant }, ["w0", total]);
    expect(await writer.ended).to.equal(0);
    for (let n = 0; n < kills; n++) {
      // Killed as soon as it tells of progress, so in the middle of the next poll.
      const reader = await startWorker("poll", { projectId, tenant }, [1_000, 3], ({ handled }, { child }) => {
        if (Number(handled) > 0) setTimeout(() => child.kill("SIGKILL"), n * 3);
      });
      expect(await reader.ended).to.equal(null);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
    }
    await pollUntilIdle(new StreamReader(store), tenant, "main", [new Bookkeeper()]);
    await expectBooked(tenant, total);
  }

  async function expectBooked(tenant: string, total: number): Promise<void> {
    const { commits } = await readAll({ store, clock }, tenant, { limit: 1_000 });
    expect(commits.length).to.equal(total);
    const booked = await listAll(store, tenant, "bookings");
    const payments = Object.fromEntries(booked.map(({ id, value }) => [id, value.payments]));
    const expected: Record<string, number> = {};
    for (const { id } of commits) expected[id] = (expected[id] ?? 0) + 1;
    expect(payments).to.deep.equal(expected);
  }
});

function isWarm(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (!worker.told.some((told) => told.isWarm)) return;
      clearInterval(timer);
      resolve();
    }, 5);
    void worker.ended.then((code) => {
      clearInterval(timer);
      reject(new Error(`the worker ended with ${code} before it was warm`));
    });
  });
}
