import { expect } from "chai";
import { ERASED_NAME_REST, type IEventStore, type Lease, type PendingCommit, TenantError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet, Ground } from "./clause.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { exportAll, listAll, parkedAll, readAll, stream, versionOf, viewOf } from "./reading.ts";
import { commits, cursorsOf, grow, hold, isFenced, LEASED_UNTIL, moves, project, send } from "./writing.ts";

/** How far before the end of a name's rest the kit still expects a refusal, in ms: the clock runs meanwhile. */
const MARGIN_MS = 60_000;
const PARKED = { handler: "H", position: 1, index: 0, event: "E", attempts: 1, error: "no", parkedAt: 1 };

interface Life {
  readonly grown: readonly PendingCommit[];
  readonly lease: Lease;
}

/** Gives a tenant something of everything. */
async function live(store: IEventStore, tenant: string): Promise<Life> {
  const grown = await grow(store, tenant, "a", 3, { snapshots: true });
  await commits(store, tenant, pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0) }));
  const lease = await project(store, tenant, "balances", { a: { sum: 1 } }, { thread: "main", handler: "H" });
  await moves(store, lease, { cursors: { H: { position: 1, collection: "balances" }, I: { position: 2 } }, park: [PARKED] });
  return { grown, lease };
}

/** Fails if anything of a tenant's life can be seen. */
async function expectNothing({ store, clock }: Pick<Ground, "store" | "clock">, tenant: string): Promise<void> {
  for (const id of ["a", "b", "late"]) {
    const { snapshot, commits: history } = await store.load({ tenant, type: TYPE, id });
    expect({ snapshot, history }, id).to.deep.equal({ snapshot: undefined, history: [] });
    expect(await store.positionOf({ tenant, type: TYPE, id }, 0)).to.equal(undefined);
  }
  expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal([]);
  expect(await store.receipt(tenant, "k")).to.equal(undefined);
  expect(await cursorsOf(store, tenant, "main")).to.deep.equal({});
  expect((await store.peek(tenant, "main")).thread.leasedUntil).to.equal(0);
  expect(await listAll(store, tenant, "balances")).to.deep.equal([]);
  expect(await viewOf(store, tenant, "balances", "a")).to.equal(undefined);
  expect(await parkedAll(store, tenant, "main")).to.deep.equal([]);
}

async function isErased(tenant: string, refused: Promise<unknown>): Promise<void> {
  expect(await rejects(TenantError, refused)).to.include({ tenant, status: "erased" });
}

/** What a store promises of erasing a tenant: nothing stays, and nothing comes back. */
export const erasure: Facet = {
  name: "erasure",
  clauses: [
    {
      title: "removes commits, snapshots, receipts, threads, views and parked events, and keeps the name as erased",
      check: async ({ store, tenant, clock }) => {
        await live(store, tenant);
        await store.erase(tenant);
        expect(await store.status(tenant)).to.equal("erased");
        await expectNothing({ store, clock }, tenant);
      },
    },
    {
      title: "erases again without harm, and erases a suspended tenant",
      check: async ({ store, tenant, clock }) => {
        await live(store, tenant);
        await store.suspend(tenant);
        await store.erase(tenant);
        await store.erase(tenant);
        expect(await store.status(tenant)).to.equal("erased");
        await expectNothing({ store, clock }, tenant);
      },
    },
    {
      title: "lets no write of a warm handler, new or resent, bring anything back",
      check: async ({ store, tenant, clock }) => {
        const { grown } = await live(store, tenant);
        await store.erase(tenant);
        const next = pending(
          { id: "a", version: 3, snapshot: { schema: 0, state: { at: 3 } } },
          { receipt: receiptOf("k", "a", 3) },
        );
        await isErased(tenant, send(store, tenant, next));
        await isErased(tenant, send(store, tenant, grown[2]!));
        await isErased(tenant, send(store, tenant, pending({ id: "late", version: 0 })));
        await expectNothing({ store, clock }, tenant);
      },
    },
    {
      title: "lets no reader bring anything back: its lease is void, and it gets no other",
      check: async ({ store, tenant, clock }) => {
        const { lease } = await live(store, tenant);
        const { thread: seen } = await store.peek(tenant, "main");
        await store.erase(tenant);
        const views = [{ collection: "balances", id: "a", value: { sum: 2 } }];
        await isFenced(store, lease, { cursors: { I: { position: 4 } }, views, park: [PARKED] });
        await isErased(tenant, store.acquire(tenant, "main", seen, LEASED_UNTIL));
        await isErased(tenant, store.acquire(tenant, "main", (await store.peek(tenant, "main")).thread, LEASED_UNTIL));
        await expectNothing({ store, clock }, tenant);
      },
    },
    {
      title: "lets nothing stay of what was written at the same moment",
      check: async ({ store, tenant, clock }) => {
        const { lease } = await live(store, tenant);
        const late = (version: number) =>
          send(store, tenant, pending({ id: version === 0 ? "late" : `late${version}`, version: 0 }));
        const views = [{ collection: "balances", id: "late", value: { sum: 2 } }];
        await Promise.allSettled([
          late(0),
          store.commitCursors(lease, { cursors: { I: { position: 3 } }, views, leasedUntil: LEASED_UNTIL }),
          store.erase(tenant),
          late(1),
          hold(store, tenant, "main"),
        ]);
        await store.erase(tenant);
        expect(await store.status(tenant)).to.equal("erased");
        await expectNothing({ store, clock }, tenant);
        expect(await versionOf(store, tenant, "late1")).to.equal(-1);
      },
    },
    {
      title: "refuses to suspend or export what is erased",
      check: async ({ store, tenant }) => {
        await live(store, tenant);
        await store.erase(tenant);
        await isErased(tenant, store.suspend(tenant));
        await isErased(tenant, exportAll(store, tenant));
        expect(await store.status(tenant)).to.equal("erased");
      },
    },
    {
      title: "lets the name rest for an hour, then opens it empty",
      check: async ({ store, tenant, clock }) => {
        await live(store, tenant);
        await store.erase(tenant);
        await isErased(tenant, store.open(tenant));
        clock.turn(ERASED_NAME_REST - MARGIN_MS);
        await isErased(tenant, store.open(tenant));
        expect(await store.status(tenant)).to.equal("erased");
        clock.turn(MARGIN_MS);
        await store.open(tenant);
        expect(await store.status(tenant)).to.equal("open");
        await expectNothing({ store, clock }, tenant);
        await grow(store, tenant, "a", 2);
        await commits(store, tenant, pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0) }));
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.deep.equal(["a", "a", "b"]);
      },
    },
    {
      title: "begins the rest anew when the name is erased anew",
      check: async ({ store, tenant, clock }) => {
        await store.erase(tenant);
        clock.turn(ERASED_NAME_REST);
        await store.open(tenant);
        await live(store, tenant);
        await store.erase(tenant);
        await isErased(tenant, store.open(tenant));
        await expectNothing({ store, clock }, tenant);
      },
    },
    {
      title: "gives a collection to another owner in the name's next life",
      check: async ({ store, tenant, clock }) => {
        await live(store, tenant);
        await store.erase(tenant);
        clock.turn(ERASED_NAME_REST);
        await store.open(tenant);
        await project(store, tenant, "balances", { z: { n: 1 } }, { thread: "new", handler: "New" });
        expect(await listAll(store, tenant, "balances")).to.deep.equal([{ id: "z", value: { n: 1 } }]);
      },
    },
    {
      title: "voids the leases of a life for every later life of the name",
      check: async ({ store, tenant, clock, newTenant }) => {
        const { lease } = await live(store, tenant);
        const { thread: seen } = await store.peek(tenant, "main");
        const source = newTenant();
        await store.open(source);
        await grow(store, source, "a", 5);
        const records = await exportAll(store, source);
        await store.erase(tenant);
        await store.import(tenant, stream(records));
        const update = { cursors: { H: { position: 3 } }, views: [{ collection: "balances", id: "a", value: { sum: 2 } }] };
        await isFenced(store, lease, update);
        expect(await store.acquire(tenant, "main", seen, LEASED_UNTIL)).to.equal(undefined);
        const current = await hold(store, tenant, "main");
        expect(current.fence).to.be.above(lease.fence);
        await isFenced(store, lease, update);
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({});
        expect(await viewOf(store, tenant, "balances", "a")).to.equal(undefined);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(5);
      },
    },
    {
      title: "imports into an erased name at once",
      check: async ({ store, tenant, clock }) => {
        await live(store, tenant);
        const records = await exportAll(store, tenant);
        await store.erase(tenant);
        await store.import(tenant, stream(records));
        expect(await store.status(tenant)).to.equal("open");
        expect(await versionOf(store, tenant, "a")).to.equal(2);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(4);
        await grow(store, tenant, "a", 1, { version: 3 });
      },
    },
    {
      title: "erases a tenant whose import broke off",
      unopened: true,
      check: async ({ store, tenant, clock, newTenant }) => {
        const source = newTenant();
        await store.open(source);
        await live(store, source);
        const records = await exportAll(store, source);
        await rejects(Error, store.import(tenant, stream(records.slice(0, 3))));
        await store.erase(tenant);
        expect(await store.status(tenant)).to.equal("erased");
        await expectNothing({ store, clock }, tenant);
      },
    },
  ],
};
