import { expect } from "chai";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Facet } from "./clause.ts";
import { parkedAll, viewOf } from "./reading.ts";
import { cursorsOf, hold, isFenced, LEASED_UNTIL, moves, project } from "./writing.ts";

/** An event parked at a place, for clauses that are not about parking. */
const PARKED = { handler: "H", position: 1, index: 0, event: "Changed", attempts: 3, error: "no", parkedAt: 1 };

/** What a store promises of leases: one holder, and no other moves the thread. */
export const leases: Facet = {
  name: "leases",
  clauses: [
    {
      title: "has every thread free, at fence 0 and without cursors, before it is used",
      check: async ({ store, tenant }) => {
        const { thread } = await store.peek(tenant, "main");
        expect(thread).to.deep.include({ fence: 0, leasedUntil: 0, cursors: {} });
        expect(thread).not.to.have.property("waiting");
      },
    },
    {
      title: "leases a thread that is as it was seen, until the time that was asked",
      check: async ({ store, tenant }) => {
        const { thread } = await store.peek(tenant, "main");
        expect(await store.acquire(tenant, "main", thread, LEASED_UNTIL + 7)).to.deep.equal({ tenant, thread: "main", fence: 1 });
        expect((await store.peek(tenant, "main")).thread).to.include({ fence: 1, leasedUntil: LEASED_UNTIL + 7 });
      },
    },
    {
      title: "raises the fence by one with every lease",
      check: async ({ store, tenant }) => {
        for (let fence = 1; fence <= 5; fence++) {
          expect((await hold(store, tenant, "main")).fence).to.equal(fence);
          expect((await store.peek(tenant, "main")).thread.fence).to.equal(fence);
        }
      },
    },
    {
      title: "leases once by one sight of the thread",
      check: async ({ store, tenant }) => {
        const { thread } = await store.peek(tenant, "main");
        expect((await store.acquire(tenant, "main", thread, LEASED_UNTIL))?.fence).to.equal(1);
        expect(await store.acquire(tenant, "main", thread, LEASED_UNTIL)).to.equal(undefined);
        expect((await store.peek(tenant, "main")).thread.fence).to.equal(1);
      },
    },
    {
      title: "gives the first lease of a thread to one of eight contenders",
      check: async ({ store, tenant }) => {
        const { thread } = await store.peek(tenant, "main");
        const leased = await Promise.all(Array.from({ length: 8 }, () => store.acquire(tenant, "main", thread, LEASED_UNTIL)));
        expect(leased.filter((lease) => lease !== undefined)).to.deep.equal([{ tenant, thread: "main", fence: 1 }]);
      },
    },
    {
      title: "gives each next lease of a thread to one of eight contenders",
      check: async ({ store, tenant }) => {
        for (let fence = 1; fence <= 4; fence++) {
          const sights = await Promise.all(Array.from({ length: 8 }, () => store.peek(tenant, "main")));
          const leased = await Promise.all(
            sights.map(({ thread }, n) => store.acquire(tenant, "main", thread, LEASED_UNTIL + n)),
          );
          expect(leased.filter((lease) => lease !== undefined).map((lease) => lease.fence)).to.deep.equal([fence]);
          expect((await store.peek(tenant, "main")).thread.leasedUntil).to.equal(
            LEASED_UNTIL + leased.findIndex((lease) => lease !== undefined),
          );
        }
      },
    },
    {
      title: "leaves it to the caller whether a lease has ended",
      check: async ({ store, tenant }) => {
        await hold(store, tenant, "main", LEASED_UNTIL);
        expect((await hold(store, tenant, "main", LEASED_UNTIL)).fence).to.equal(2);
      },
    },
    {
      title: "gives no lease by a sight from before the holder wrote",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        const { thread } = await store.peek(tenant, "main");
        await moves(store, lease, { cursors: { H: { position: 3 } } });
        expect(await store.acquire(tenant, "main", thread, LEASED_UNTIL)).to.equal(undefined);
        await moves(store, lease, { cursors: { H: { position: 4 } } });
      },
    },
    {
      title: "shows another revision after every write, and the same one without",
      check: async ({ store, tenant }) => {
        const revisions: string[] = [];
        const look = async () => revisions.push((await store.peek(tenant, "main")).thread.revision);
        await look();
        const lease = await hold(store, tenant, "main");
        await look();
        await moves(store, lease, { cursors: { H: { position: 1 } } });
        await look();
        await moves(store, lease, { leasedUntil: 0 });
        await look();
        await hold(store, tenant, "main");
        await look();
        expect(new Set(revisions).size).to.equal(5);
        await look();
        expect(revisions[5]).to.equal(revisions[4]);
      },
    },
    {
      title: "moves the end of the lease with each write, and releases it with 0",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        for (const leasedUntil of [LEASED_UNTIL + 5, LEASED_UNTIL + 1, 0]) {
          await moves(store, lease, { leasedUntil });
          expect((await store.peek(tenant, "main")).thread).to.include({ fence: 1, leasedUntil });
        }
      },
    },
    {
      title: "lets a holder write after its time, as long as nobody acquired the thread",
      check: async ({ store, tenant, clock }) => {
        const lease = await hold(store, tenant, "main", clock.now() + 1_000);
        clock.turn(5_000);
        await moves(store, lease, { cursors: { H: { position: 2 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 2 } });
      },
    },
    {
      title: "refuses whatever an earlier holder writes: cursors, views, claims, parked events, the lease's end",
      check: async ({ store, tenant }) => {
        const stale = await project(store, tenant, "balances", { a: { sum: 1 } }, { thread: "main", handler: "H" });
        const lease = await hold(store, tenant, "main");
        await isFenced(store, stale, {
          cursors: { H: { position: 9, collection: "balances" }, I: { position: 9 } },
          views: [
            { collection: "balances", id: "a", value: { sum: 2 } },
            { collection: "balances", id: "b", value: { sum: 2 } },
          ],
          claims: [{ collection: "other", handler: "I" }],
          park: [PARKED],
          waiting: { position: 4, since: 1 },
          leasedUntil: 0,
        });
        const { thread } = await store.peek(tenant, "main");
        expect(thread).to.deep.include({
          fence: 2,
          leasedUntil: LEASED_UNTIL,
          cursors: { H: { position: 0, collection: "balances" } },
        });
        expect(thread).not.to.have.property("waiting");
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ sum: 1 });
        expect(await viewOf(store, tenant, "balances", "b")).to.equal(undefined);
        expect(await parkedAll(store, tenant, "main")).to.deep.equal([]);
        await moves(store, lease, {
          cursors: { J: { position: 1, collection: "other" } },
          claims: [{ collection: "other", handler: "J" }],
        });
      },
    },
    {
      title: "refuses a fence that nobody was given yet",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await isFenced(store, { ...lease, fence: lease.fence + 1 }, { cursors: { H: { position: 1 } } });
        await isFenced(store, { ...lease, thread: "other" }, { cursors: { H: { position: 1 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({});
        expect(await cursorsOf(store, tenant, "other")).to.deep.equal({});
      },
    },
    {
      title: "keeps the cursors, waiting and views of a thread when it is leased anew",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", { a: { sum: 1 } }, { thread: "main", handler: "H" });
        const waiting = { position: 8, since: 1_700_000_000_000 };
        await moves(store, lease, { cursors: { H: { position: 7, collection: "balances" } }, waiting, leasedUntil: 0 });
        await hold(store, tenant, "main");
        const { thread } = await store.peek(tenant, "main");
        expect(thread).to.deep.include({ cursors: { H: { position: 7, collection: "balances" } }, waiting });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ sum: 1 });
      },
    },
    {
      title: "lets either a write of the holder or a new lease by the same sight through, never both",
      check: async ({ store, tenant }) => {
        for (let position = 1; position <= 8; position++) {
          const lease = await hold(store, tenant, "main");
          const { thread } = await store.peek(tenant, "main");
          const update = { cursors: { H: { position } }, leasedUntil: LEASED_UNTIL };
          const move = () => store.commitCursors(lease, update);
          const take = () => store.acquire(tenant, "main", thread, LEASED_UNTIL);
          const isMoveFirst = position % 2 === 0;
          const first = isMoveFirst ? move() : undefined;
          const taking = take();
          const [moved, taken] = await Promise.all([first ?? move(), taking]);
          expect(moved).to.deep.equal({ status: taken === undefined ? "committed" : "fenced" });
        }
      },
    },
    {
      title: "counts the fence of each thread by itself",
      check: async ({ store, tenant }) => {
        await hold(store, tenant, "main");
        await hold(store, tenant, "main");
        for (const thread of ["main-2", "Main", "mai"]) {
          expect((await store.peek(tenant, thread)).thread.fence, thread).to.equal(0);
          expect((await hold(store, tenant, thread)).fence, thread).to.equal(1);
        }
      },
    },
    {
      title: "returns frozen threads",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        const failure = { position: 2, index: 0, attempts: 1, retryAt: 5, halted: false, error: "no" };
        await moves(store, lease, { cursors: { H: { position: 1, failure } } });
        expect(isDeepFrozen((await store.peek(tenant, "main")).thread)).to.equal(true);
      },
    },
  ],
};
