import { expect } from "chai";
import { TenantError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { historyOf, listAll, parkedAll, readAll, versionOf, viewOf } from "./reading.ts";
import { commits, cursorsOf, grow, hold, isFenced, LEASED_UNTIL, project, send } from "./writing.ts";

/** Names that resemble `name`, so that a careless key or range would take one tenant for the other. */
const RESEMBLING: Readonly<Record<string, (name: string) => string>> = {
  "another case": (name) => name.toUpperCase(),
  "a letter more": (name) => `${name}a`,
  "a letter less": (name) => name.slice(0, -1),
  "a hyphen at the end": (name) => `${name}-`,
  "an underscore at the end": (name) => `${name}_`,
  "the word events behind": (name) => `${name}-events`,
  "a zero in front": (name) => `0${name}`,
  "the longest name": (name) => name.padEnd(64, "-"),
};

/** One clause for each resemblance: filling, suspending and erasing one leaves the other as it was. */
const resembling: readonly Clause[] = Object.entries(RESEMBLING).map(([what, respell]) => ({
  title: `keeps a tenant apart from the one named with ${what}`,
  check: async ({ store, newTenant, clock }) => {
    const name = `${newTenant().toLowerCase()}z`;
    const resembled = respell(name);
    for (const one of [name, resembled]) {
      await store.open(one);
      await commits(store, one, pending({ id: "a", version: 0, payload: { one } }, { receipt: receiptOf("k", "a", 0) }));
      await project(store, one, "balances", { a: { one } });
    }
    await store.suspend(name);
    await grow(store, resembled, "b", 1);
    await store.erase(name);
    await grow(store, resembled, "a", 1, { version: 1 });
    const order = (await readAll({ store, clock }, resembled)).commits;
    expect(order.map(({ id, version }) => `${id}@${version}`)).to.deep.equal(["a@0", "b@0", "a@1"]);
    expect(order[0]!.events[0]!.payload).to.deep.equal({ one: resembled });
    expect(await store.receipt(resembled, "k")).to.deep.equal(receiptOf("k", "a", 0));
    expect(await listAll(store, resembled, "balances")).to.deep.equal([{ id: "a", value: { one: resembled } }]);
    expect((await cursorsOf(store, resembled, "views")).Balances).to.deep.equal({ position: 0, collection: "balances" });
  },
}));

/** What each read gives for a tenant that nobody opened. */
const READS: Readonly<Record<string, (ground: Ground) => Promise<void>>> = {
  load: async ({ store, tenant }) => void expect(await versionOf(store, tenant, "a")).to.equal(-1),
  read: async ({ store, tenant, clock }) => void expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal([]),
  receipt: async ({ store, tenant }) => void expect(await store.receipt(tenant, "k")).to.equal(undefined),
  positionOf: async ({ store, tenant }) =>
    void expect(await store.positionOf({ tenant, type: TYPE, id: "a" }, 0)).to.equal(undefined),
  peek: async ({ store, tenant }) => {
    const { thread } = await store.peek(tenant, "main");
    expect({ fence: thread.fence, cursors: thread.cursors }).to.deep.equal({ fence: 0, cursors: {} });
  },
  parked: async ({ store, tenant }) => void expect(await parkedAll(store, tenant, "main")).to.deep.equal([]),
  "views.get": async ({ store, tenant }) => void expect(await viewOf(store, tenant, "balances", "a")).to.equal(undefined),
  "views.list": async ({ store, tenant }) => void expect(await listAll(store, tenant, "balances")).to.deep.equal([]),
};

/** One clause for each read of an unknown tenant. */
const unknown: readonly Clause[] = Object.entries(READS).map(([name, check]) => ({
  title: `finds nothing with ${name} in a tenant that nobody opened, and does not open it`,
  unopened: true,
  check: async (ground) => {
    await check(ground);
    expect(await ground.store.status(ground.tenant)).to.equal("absent");
  },
}));

/** What a store promises of tenants side by side. */
export const tenancy: Facet = {
  name: "tenancy",
  clauses: [
    {
      title: "gives the same id its own history in each tenant",
      check: async ({ store, tenant, evilTwin }) => {
        await grow(store, tenant, "a", 3);
        const mine = await historyOf(store, tenant, "a");
        expect(mine.map(({ tenant: owner, events }) => [owner, events[0]!.payload])).to.deep.equal(
          [0, 1, 2].map((n) => [tenant, { n }]),
        );
        const theirs = await historyOf(store, evilTwin, "a");
        for (const { tenant: owner, events } of theirs) {
          expect(owner).to.equal(evilTwin);
          expect(events[0]!.payload).to.deep.equal({ twin: `${TYPE}/a` });
        }
      },
    },
    {
      title: "gives the same commandId its own receipt in each tenant",
      check: async ({ store, tenant, evilTwin }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        expect((await store.receipt(tenant, "k"))?.actorId).to.equal("ada");
        expect((await store.receipt(evilTwin, "k"))?.actorId).to.equal("twin");
      },
    },
    {
      title: "gives the same thread its own fence and cursors in each tenant",
      check: async ({ store, tenant, evilTwin }) => {
        for (let fence = 1; fence <= 3; fence++) expect((await hold(store, tenant, "main")).fence).to.equal(fence);
        expect((await store.peek(evilTwin, "main")).thread.fence).to.equal(1);
      },
    },
    {
      title: "does not take one tenant's lease in the other",
      check: async ({ store, tenant, newTenant }) => {
        const other = newTenant();
        await store.open(other);
        const lease = await hold(store, tenant, "main");
        await isFenced(store, { ...lease, tenant: other }, { cursors: { H: { position: 5 } } });
        expect(await cursorsOf(store, other, "main")).to.deep.equal({});
      },
    },
    {
      title: "gives the same collection its own views and owner in each tenant",
      check: async ({ store, tenant, newTenant }) => {
        const other = newTenant();
        await store.open(other);
        await project(store, tenant, "balances", { a: { of: "first" } }, { thread: "x", handler: "One" });
        await project(store, other, "balances", { a: { of: "second" } }, { thread: "y", handler: "Two" });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ of: "first" });
        expect(await viewOf(store, other, "balances", "a")).to.deep.equal({ of: "second" });
      },
    },
    {
      title: "reads two tenants page by page in turns",
      check: async ({ store, tenant, clock, newTenant }) => {
        const other = newTenant();
        await store.open(other);
        for (const one of [tenant, other]) await grow(store, one, "a", 6, { payload: { one } });
        const places = new Map([tenant, other].map((one) => [one, 0]));
        await readAll({ store, clock }, tenant);
        await readAll({ store, clock }, other);
        for (let turn = 0; turn < 6; turn++) {
          for (const [one, after] of places) {
            const { commits: page, next } = await store.read(one, after, 1);
            expect(page.map((commit) => [commit.tenant, commit.version, commit.events[0]!.payload])).to.deep.equal([
              [one, turn, { one }],
            ]);
            places.set(one, next);
          }
        }
      },
    },
    ...resembling,
    ...unknown,
    {
      title: "refuses commits in a tenant that nobody opened, and does not open it",
      unopened: true,
      check: async ({ store, tenant }) => {
        const error = await rejects(
          TenantError,
          send(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) })),
        );
        expect(error).to.include({ tenant, status: "absent" });
        expect(await store.status(tenant)).to.equal("absent");
        await store.open(tenant);
        expect(await versionOf(store, tenant, "a")).to.equal(-1);
        expect(await store.receipt(tenant, "k")).to.equal(undefined);
      },
    },
    {
      title: "gives no lease in a tenant that nobody opened, and takes none",
      unopened: true,
      check: async ({ store, tenant }) => {
        const { thread } = await store.peek(tenant, "main");
        const error = await rejects(TenantError, store.acquire(tenant, "main", thread, LEASED_UNTIL));
        expect(error).to.include({ tenant, status: "absent" });
        await isFenced(store, { tenant, thread: "main", fence: 1 }, { cursors: { H: { position: 1 } } });
        expect((await store.peek(tenant, "main")).thread.fence).to.equal(0);
      },
    },
  ],
};
