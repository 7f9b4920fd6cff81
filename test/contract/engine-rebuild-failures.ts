import { expect } from "chai";
import { Err } from "../../core/index.ts";
import { CrashingStore } from "../support/crashing-store.ts";
import { gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Clause, Facet } from "./clause.ts";
import { listAll } from "./reading.ts";
import { Bookkeeper2, deposit, expected, poll, readerOn, seen } from "./rebuilt-bookings.ts";
import { Bookkeeper } from "./wallet.ts";

/** One clause for each seed: the rebuilding process dies at random writes while commands and the live projection go on. */
const crashes: readonly Clause[] = [1, 2].map((seed) => ({
  title: `come to the same views however often the process dies (seed ${seed})`,
  check: async (ground) => {
    const { store, clock, tenant } = ground;
    const random = seededRandom(seed);
    const crashing = new CrashingStore(store);
    crashing.crash = () => (random.chance(0.3) ? (random.chance(0.5) ? "before" : "after") : undefined);
    let deposits = 12;
    await deposit(ground, deposits);
    await poll(ground, new Bookkeeper());
    let deaths = 0;
    for (let isSwitched = false; !isSwitched; ) {
      try {
        const { status } = await readerOn({ store: crashing, clock }).rebuild(tenant, "main", new Bookkeeper2(), { limit: 3 });
        isSwitched = status === "switched";
      } catch {
        deaths++;
        clock.turn(30_001);
        // The switch may have gone through before the process died.
        const { thread } = await store.peek(tenant, "main");
        isSwitched = thread.cursors.Bookkeeper?.version === 1;
        if (!isSwitched) await poll(ground, new Bookkeeper());
        await deposit(ground, 1, deposits++);
      }
    }
    expect(deaths, "deaths").to.be.above(0);
    clock.turn(30_001);
    await poll(ground, new Bookkeeper2());
    expect(await seen(ground)).to.deep.equal(expected(deposits, 1));
  },
}));

/** What the engine promises of rebuilds that go wrong or are given up, on every store. */
export const engineRebuildFailures: Facet = {
  name: "rebuilds that go wrong",
  clauses: [
    {
      title: "stop at an event that does not fold, and pass over it once the operator has",
      check: async (ground) => {
        const { tenant, clock } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 6);
        const live = new Bookkeeper();
        await poll(ground, live);
        const next = new Bookkeeper2();
        next.refused = 5;
        const error = await rejects(Err, reader.rebuild(tenant, "main", next));
        expect(error).to.include({ code: "precondition", index: 0 });
        expect(error.message).to.match(/failed at position .* \(.*does not fold.*\): fix the projection/);
        expect(await seen(ground)).to.deep.equal(expected(6, 0));
        // Mended: it goes on at the event.
        next.refused = undefined;
        clock.turn(1);
        await reader.rebuild(tenant, "main", next);
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        // The event that halts the live projection is skipped there, and so it is in a rebuild.
        next.refused = 8;
        await deposit(ground, 4, 6);
        for (let polls = 0, isBlocked = false; !isBlocked && polls < 50; polls++)
          isBlocked = (await reader.poll(tenant, "main", [next])).blocked.length > 0;
        await reader.skip(tenant, "main", "Bookkeeper", "nobody paid this");
        await poll(ground, next);
        const third = new Bookkeeper2(3);
        third.refused = 8;
        await reader.rebuild(tenant, "main", third);
        const { w1, w2 } = expected(10, 1);
        expect(await seen(ground)).to.deep.equal({
          w1: { ...w1, balance: Number(w1?.balance) - 8, payments: 2, largest: 5 },
          w2,
        });
      },
    },
    {
      title: "pass over what the operator has, however often they are repeated, and keep the reason listed",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        const projection = new Bookkeeper2();
        projection.refused = 2;
        await deposit(ground, 3);
        for (let polls = 0; polls < 50; polls++)
          if ((await reader.poll(tenant, "main", [projection], { onError: "park" })).status === "idle") break;
        const [parked] = (await reader.parked(tenant, "main")).parked;
        await reader.skipParked(tenant, "main", parked!, "nobody paid this");
        const { w2 } = expected(3, 1);
        for (let rebuilds = 0; rebuilds < 3; rebuilds++) {
          expect(await reader.rebuild(tenant, "main", projection)).to.include({ status: "switched" });
          expect(await seen(ground)).to.deep.equal({ w2 });
          const { parked: left } = await reader.parked(tenant, "main");
          expect(left.map(({ position, reason }) => [position, reason])).to.deep.equal([[parked!.position, "nobody paid this"]]);
        }
        // Views that hold the event at last must not get it once more.
        projection.refused = undefined;
        await reader.rebuild(tenant, "main", projection);
        expect(await reader.retryParked(tenant, "main", projection, parked!)).to.deep.equal({
          retried: 0,
          failed: 0,
          waiting: 0,
        });
        expect(await seen(ground)).to.deep.equal(expected(3, 1));
      },
    },
    {
      title: "leave nothing to roll back to after a discard, and nothing at all after an erasure",
      check: async (ground) => {
        const { store, tenant } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 5);
        await poll(ground, new Bookkeeper());
        await reader.rebuild(tenant, "main", new Bookkeeper2());
        await reader.discard(tenant, "main", new Bookkeeper2());
        expect(await listAll(store, tenant, "bookings")).to.deep.equal([]);
        expect((await rejects(Err, reader.rollback(tenant, "main", new Bookkeeper()))).code).to.equal("not_found");
        expect(await seen(ground)).to.deep.equal(expected(5, 1));
        await store.erase(tenant);
        for (const place of ["bookings", "bookings~1", "bookings~live"])
          expect(await listAll(store, tenant, place), place).to.deep.equal([]);
      },
    },
    {
      title: "hand no event over twice that the old views lacked, nor lose it for them",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        const old = new Bookkeeper2(0);
        old.refused = 2;
        await deposit(ground, 6);
        for (let polls = 0; polls < 50; polls++)
          if ((await reader.poll(tenant, "main", [old], { onError: "park" })).status === "idle") break;
        await reader.rebuild(tenant, "main", new Bookkeeper2());
        expect(await reader.retryParked(tenant, "main", new Bookkeeper2())).to.deep.equal({ retried: 0, failed: 0, waiting: 0 });
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        await reader.rollback(tenant, "main", old);
        old.refused = undefined;
        expect(await reader.retryParked(tenant, "main", old)).to.deep.equal({ retried: 1, failed: 0, waiting: 0 });
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        expect((await reader.parked(tenant, "main")).parked).to.deep.equal([]);
      },
    },
    {
      title: "fence a switch that comes late out, once another process goes on with the same views",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        await deposit(ground, 5);
        await poll(ground, new Bookkeeper());
        const [arrived, late] = [gate(), gate()];
        const slow = intercepted(store, {
          commitCursors: async (lease, update) => {
            if (update.views?.some(({ collection }) => collection === "bookings~live")) {
              arrived.open();
              await late.passed;
            }
            return store.commitCursors(lease, update);
          },
        });
        const first = rejects(Err, readerOn({ store: slow, clock }).rebuild(tenant, "main", new Bookkeeper2()));
        await arrived.passed;
        clock.turn(61_000);
        await deposit(ground, 4, 5);
        const second = await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2(), { hold: true });
        expect(second).to.include({ status: "ready", events: 4 });
        late.open();
        expect((await first).code).to.equal("precondition");
        expect(await seen(ground)).to.deep.equal(expected(5, 0));
        await readerOn(ground).rebuild(tenant, "main", new Bookkeeper2());
        expect(await seen(ground)).to.deep.equal(expected(9, 1));
      },
    },
    ...crashes,
  ],
};
