import { expect } from "chai";
import type { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { exportAll, historyOf, readAll, stream, versionOf } from "../contract/reading.ts";
import { expectStatus, grow, send } from "../contract/writing.ts";
import { type CountedStore, countedStore } from "../support/firestore-counted.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const clock = new TurnedClock();
let tenants = 0;

describe("The log of a tenant in Firestore", function () {
  this.timeout(60_000);
  let counted: CountedStore;
  let store: FirestoreEventStore;
  let tenant: string;
  before(async function () {
    needsFirestore(this);
    counted = await countedStore();
    store = counted.store;
  });
  after(() => counted?.close());
  beforeEach(async () => {
    tenant = `log-${tenants++}`;
    await store.open(tenant);
  });

  async function fill(count: number): Promise<void> {
    for (let sent = 0; sent < count; sent += 50) {
      const size = Math.min(50, count - sent);
      await store.commit(
        tenant,
        Array.from({ length: size }, (_, n) => pending({ id: `f${sent + n}`, version: 0 })),
      );
    }
  }

  async function open(): Promise<{ readonly base: number; readonly count: number; readonly refs: readonly string[] }> {
    return (await counted.client.doc(`tenants/${tenant}/log/open`).get()).data() as never;
  }

  it("moves refs to pages of 64 when a reader notices, and keeps every position", async () => {
    await fill(300);
    expect((await open()).refs.length).to.equal(300);
    const before = (await readAll({ store, clock }, tenant)).commits.map(({ id, position }) => `${id}=${position}`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { base, refs, count } = await open();
    expect({ base, refs: refs.length, count }).to.deep.equal({ base: 192, refs: 108, count: 300 });
    const cold = await countedStore({}, counted.projectId);
    const after = (await readAll({ store: cold.store, clock }, tenant, { limit: 77 })).commits;
    expect(after.map(({ id, position }) => `${id}=${position}`)).to.deep.equal(before);
    for (const at of [0, 63, 64, 191, 192, 299]) {
      const { id, position } = after[at]!;
      expect(await cold.store.positionOf({ tenant, type: TYPE, id }, 0)).to.equal(position);
    }
    await cold.close();
  });

  it("is trimmed once when eight notice at once", async () => {
    await fill(260);
    const others = await Promise.all(Array.from({ length: 8 }, () => countedStore({}, counted.projectId)));
    await Promise.all(others.map((other) => other.store.peek(tenant, "main")));
    for (const other of others) await other.close();
    const { base, refs } = await open();
    expect({ base, refs: refs.length }).to.deep.equal({ base: 192, refs: 68 });
    expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(260);
  });

  it("takes a group in which one conflicts, one repeats a receipt and one verifies what another writes", async () => {
    await grow(store, tenant, "taken", 3);
    await send(store, tenant, pending({ id: "first", version: 0 }, { receipt: receiptOf("k", "first", 0) }));
    const verifying = (id: string, version: number) =>
      pending({ id, version: 0 }, { verified: [{ type: TYPE, id: "written", version }] });
    const outcomes = await store.commit(tenant, [
      pending({ id: "written", version: 0 }),
      pending({ id: "taken", version: 1 }),
      pending({ id: "second", version: 0 }, { receipt: receiptOf("k", "second", 0) }),
      verifying("stale", -1),
      verifying("right", 0),
      pending({ id: "plain", version: 0 }),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal([
      ...["committed", "conflict", "repeated", "conflict", "committed", "committed"],
    ]);
    expect(expectStatus(outcomes[1], "conflict")).to.include({ id: "taken", actual: 2 });
    expect(expectStatus(outcomes[2], "repeated").receipt.id).to.equal("first");
    expect(expectStatus(outcomes[3], "conflict")).to.include({ id: "written", actual: 0 });
    const order = (await readAll({ store, clock }, tenant)).commits.map(({ id }) => id);
    expect(order).to.deep.equal(["taken", "taken", "taken", "first", "written", "right", "plain"]);
  });

  it("tells the actual version however far the expected one lies behind", async () => {
    await grow(store, tenant, "far", 45);
    for (const version of [0, 30, 36, 37, 44]) {
      expect(expectStatus(await send(store, tenant, pending({ id: "far", version })), "conflict").actual).to.equal(44);
    }
  });

  it("takes more than one batch holds, in one call", async () => {
    const text = "x".repeat(200_000);
    const group = Array.from({ length: 40 }, (_, n) =>
      pending({ id: `big${n}`, version: 0, payload: { text }, snapshot: { schema: 0, state: { text } } }),
    );
    for (const outcome of await store.commit(tenant, group)) expectStatus(outcome, "committed");
    expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(40);
  });

  it("lets none fail for a neighbour that does not fit into a document", async () => {
    const large = pending({ id: "large", version: 0, payload: { text: "x".repeat(1_100_000) } });
    const group = [pending({ id: "before", version: 0 }), large, pending({ id: "after", version: 0 })];
    const outcomes = await store.commit(tenant, group);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "failed", "committed"]);
    expect(expectStatus(outcomes[1], "failed").error).to.include({ outcome: "none", retryable: false });
  });

  it("leaves out a published snapshot that is too large as native fields", async () => {
    const state = { numbers: Array.from({ length: 131_000 }, () => 1) };
    const commit = pending({ id: "a", version: 0, snapshot: { schema: 0, state, isPublished: true } });
    expectStatus(await send(store, tenant, commit), "committed");
    expect((await store.load({ tenant, type: TYPE, id: "a" })).commits.length).to.equal(1);
  });

  it("makes room when it is full, though nobody has looked at it: 16 refs a commit, as long as they may be", async () => {
    const idOf = (n: number) => "/".repeat(250) + String(n).padStart(6, "0");
    const sixteen = (commit: number) =>
      Array.from({ length: 16 }, (_, n) => ({ id: idOf(commit * 16 + n), version: 0, type: "t".repeat(64) }));
    // The 113th would make it larger than 1 MiB.
    for (let sent = 0; sent < 120; sent += 20) {
      const group = Array.from({ length: 20 }, (_, n) => pending(sixteen(sent + n)));
      for (const outcome of await store.commit(tenant, group)) expectStatus(outcome, "committed");
    }
    expect((await readAll({ store, clock }, tenant, { limit: 1_000 })).commits.length).to.equal(1_920);
  });

  it("is another in the name's next life, which nothing late of the former one reaches", async () => {
    await grow(store, tenant, "a", 3);
    const backup = await exportAll(store, tenant);
    const warm = await countedStore({}, counted.projectId);
    await grow(warm.store, tenant, "a", 4, { version: 3 });
    await store.erase(tenant);
    await store.import(tenant, stream(backup));
    // The warm process still believes in version 6: its write would leave a hole.
    expectStatus(await send(warm.store, tenant, pending({ id: "a", version: 7 }, { life: "1" })), "reborn");
    const verified = [{ type: TYPE, id: "a", version: 6 }];
    const outcomes = await warm.store.commit(tenant, [
      pending({ id: "b", version: 0 }, { verified, life: "1" }),
      pending({ id: "c", version: 0 }),
      pending({ id: "d", version: 0 }, { life: "2" }),
    ]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["reborn", "committed", "committed"]);
    expect((await warm.store.load({ tenant, type: TYPE, id: "a" })).life).to.equal("2");
    expectStatus(await send(warm.store, tenant, pending({ id: "a", version: 3 })), "committed");
    expect((await historyOf(store, tenant, "a")).map(({ version }) => version)).to.deep.equal([0, 1, 2, 3]);
    expect(await versionOf(warm.store, tenant, "b")).to.equal(-1);
    await warm.close();
  });

  it("does not trust a snapshot that is ahead of a restored log", async () => {
    await grow(store, tenant, "a", 4, { snapshots: true });
    for (const version of [2, 3]) await counted.client.doc(`tenants/${tenant}/events/${TYPE}.a.a${version}`).delete();
    const { snapshot, commits } = await store.load({ tenant, type: TYPE, id: "a" });
    expect(snapshot).to.equal(undefined);
    expect(commits.map(({ version }) => version)).to.deep.equal([0, 1]);
  });

  it("rings for commits of other processes", async () => {
    const other = await countedStore({}, counted.projectId);
    const stop = new AbortController();
    let rings = 0;
    store.watch?.(tenant, () => rings++, stop.signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    rings = 0;
    await grow(other.store, tenant, "a", 1);
    for (let waited = 0; rings === 0 && waited < 5_000; waited += 20) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rings).to.be.above(0);
    stop.abort();
    await other.close();
  });
});
