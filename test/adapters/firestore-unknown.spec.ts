import { FieldValue } from "@google-cloud/firestore";
import { expect } from "chai";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { CommandHandler, type IEventStore, StoreError } from "../../core/index.ts";
import { pending, receiptOf } from "../contract/pending.ts";
import { historyOf, readAll, viewOf } from "../contract/reading.ts";
import { tellerOf, Wallet } from "../contract/wallet.ts";
import { cursorsOf, hold, project, send } from "../contract/writing.ts";
import { type Cut, type Cutter, firestoreCutter } from "../support/firestore-cutter.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { firestoreClient, newProject } from "../support/firestore-store.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** How often each line is cut; each takes the SDK's own pause before it repeats: 50 s in all. */
const TIMES = Number(process.env.FIRESTORE_CUTS ?? 200);
const TENANT = "cut";
const WITHIN_MS = 10_000;

describe(`Firestore, with the line cut (FIRESTORE_CUTS=${TIMES})`, function () {
  this.timeout(120_000);
  const clock = new TurnedClock();
  let cutter: Cutter;
  let store: IEventStore;
  let direct: IEventStore;
  const closing: (() => Promise<unknown>)[] = [];

  before(async function () {
    needsFirestore(this);
    cutter = await firestoreCutter();
    const projectId = newProject();
    for (const host of [cutter.host, undefined]) {
      const client = await firestoreClient(projectId, host);
      closing.push(() => client.terminate());
      const made = new FirestoreEventStore(client);
      if (host === undefined) direct = made;
      else store = made;
    }
    await store.open(TENANT);
  });
  after(async () => {
    for (const close of closing) await close();
    await cutter?.close();
  });

  for (const cut of ["reply", "request"] as const satisfies readonly Cut[]) {
    it(`tells the true result of every command when the ${cut} is lost, and doubles and loses nothing`, async () => {
      const handler = new CommandHandler(store, [Wallet]);
      const id = `wallet-${cut}`;
      const cutsBefore = cutter.cuts;
      for (let n = 0; n < TIMES; n++) {
        cutter.arm(cut);
        const begun = performance.now();
        const { aggregate } = await handler.command(tellerOf(TENANT), "Deposit", { amount: 1, aggregateId: id });
        expect(performance.now() - begun).to.be.below(WITHIN_MS);
        expect(aggregate).to.include({ balance: n + 1, aggregateVersion: n });
      }
      cutter.arm("none");
      expect(cutter.cuts - cutsBefore, "cuts").to.be.at.least(TIMES);
      const history = await historyOf(direct, TENANT, id, "wallets");
      expect(history.map(({ version }) => version)).to.deep.equal(Array.from({ length: TIMES }, (_, n) => n));
      const { commits } = await readAll({ store: direct, clock }, TENANT);
      expect(commits.filter((commit) => commit.id === id).length).to.equal(TIMES);
    });

    it(`tells each member of a group its own outcome when the ${cut} is lost`, async () => {
      await send(direct, TENANT, pending({ id: `taken-${cut}`, version: 0 }, { receipt: receiptOf(`k-${cut}`, "x", 0) }));
      cutter.arm(cut);
      const outcomes = await store.commit(TENANT, [
        pending({ id: `a-${cut}`, version: 0 }),
        pending({ id: `taken-${cut}`, version: 0 }),
        pending({ id: `b-${cut}`, version: 0 }, { receipt: receiptOf(`k-${cut}`, "b", 0) }),
        pending({ id: `c-${cut}`, version: 0 }),
      ]);
      expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "conflict", "repeated", "committed"]);
    });

    it(`moves cursors and views once when the ${cut} is lost`, async () => {
      const thread = `thread-${cut}`;
      const collection = `views-${cut}`;
      const lease = await project(direct, TENANT, collection, {}, { thread, handler: "H" });
      for (let position = 1; position <= 5; position++) {
        cutter.arm(cut);
        const outcome = await store.commitCursors(lease, {
          cursors: { H: { position, collection } },
          views: [{ collection, id: "a", value: { position, text: "x".repeat(300) } }],
          leasedUntil: 0,
        });
        expect(outcome).to.deep.equal({ status: "committed" });
        expect((await viewOf(direct, TENANT, collection, "a"))?.position).to.equal(position);
        expect((await cursorsOf(direct, TENANT, thread)).H).to.deep.equal({ position, collection });
      }
      cutter.arm("none");
    });

    it(`leases a thread once when the ${cut} is lost`, async () => {
      for (let fence = 1; fence <= 5; fence++) {
        const thread = `leased-${cut}`;
        const { thread: seen } = await store.peek(TENANT, thread);
        cutter.arm(cut);
        expect(await store.acquire(TENANT, thread, seen, 5)).to.deep.equal({ tenant: TENANT, thread, fence });
      }
      cutter.arm("none");
      expect((await hold(store, TENANT, `leased-${cut}`)).fence).to.equal(6);
    });
  }

  it("says at the deadline that the outcome is unknown, where nothing answers", async () => {
    const client = await firestoreClient();
    const silent = new Proxy(client, {
      get: (target, name) =>
        name === "batch"
          ? () => Object.assign(target.batch(), { commit: () => new Promise<never>(() => {}) })
          : name === "runTransaction"
            ? () => new Promise<never>(() => {})
            : Reflect.get(target, name, target).bind?.(target),
    });
    const deaf = new FirestoreEventStore(silent, { deadline: 500, fieldValue: FieldValue });
    const begun = performance.now();
    const [outcome] = await deaf.commit(TENANT, [pending({ id: "a", version: 0 })]);
    expect(performance.now() - begun).to.be.below(1_500);
    const error = outcome?.status === "failed" ? outcome.error : undefined;
    expect(error).to.be.instanceOf(StoreError);
    expect(error).to.include({ outcome: "unknown", retryable: true });
    expect(await rejects(StoreError, deaf.suspend(TENANT))).to.include({ outcome: "unknown", retryable: true });
    await client.terminate();
  });
});
