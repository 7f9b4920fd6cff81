import { expect } from "chai";
import type { IEventStore, TenantEntry } from "../../core/index.ts";
import { TenantError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet } from "./clause.ts";
import { pending, receiptOf } from "./pending.ts";
import { exportAll, historyOf, readAll, stream, versionOf } from "./reading.ts";
import { commits, cursorsOf, grow, hold, moves, send } from "./writing.ts";

/** The registry's tenants whose names begin with `prefix`, by pages of `limit`. */
async function registered(store: IEventStore, prefix: string, limit: number): Promise<readonly TenantEntry[]> {
  const found: TenantEntry[] = [];
  let after = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) - 1);
  for (let pages = 0; pages < 10_000; pages++) {
    const page = await store.tenants({ after, limit });
    expect(page.tenants.length, "tenants in a page").to.be.at.most(limit);
    found.push(...page.tenants.filter(({ tenant }) => tenant.startsWith(prefix)));
    if (page.next === undefined || page.tenants.some(({ tenant }) => tenant > `${prefix}z`)) return found;
    after = page.next;
  }
  throw new Error("the registry does not end");
}

/** One clause for each size of page. */
const pages: readonly Clause[] = [1, 3, 1_000].map((limit) => ({
  title: `lists tenants by name with their status, in pages of ${limit}`,
  check: async ({ store, newTenant }) => {
    const prefix = `${newTenant()}-p`;
    const names = ["0", "10", "9", "A", "B", "a", "b"].map((suffix) => prefix + suffix);
    for (const name of [...names].reverse()) await store.open(name);
    await store.suspend(names[1]!);
    await store.erase(names[3]!);
    const expected = names.map((tenant, place) => ({
      tenant,
      status: place === 1 ? "suspended" : place === 3 ? "erased" : "open",
    }));
    expect(await registered(store, prefix, limit)).to.deep.equal(expected);
  },
}));

/** What a store promises of opening, suspending and listing tenants. */
export const registry: Facet = {
  name: "tenants' lives",
  clauses: [
    {
      title: "does not know a tenant that nobody opened",
      unopened: true,
      check: async ({ store, tenant }) => {
        expect(await store.status(tenant)).to.equal("absent");
        for (const refused of [() => store.suspend(tenant), () => exportAll(store, tenant), () => store.erase(tenant)])
          expect(await rejects(TenantError, refused())).to.include({ tenant, status: "absent" });
        expect(await store.status(tenant)).to.equal("absent");
        expect((await registered(store, tenant, 10)).map((entry) => entry.tenant)).not.to.include(tenant);
      },
    },
    {
      title: "opens a tenant, and leaves an open one as it is",
      unopened: true,
      check: async ({ store, tenant }) => {
        await store.open(tenant);
        expect(await store.status(tenant)).to.equal("open");
        await grow(store, tenant, "a", 2);
        await store.open(tenant);
        expect(await versionOf(store, tenant, "a")).to.equal(1);
      },
    },
    {
      title: "opens a tenant once, however many open it at once and write at once",
      unopened: true,
      check: async ({ store, tenant, clock }) => {
        await Promise.all(
          Array.from({ length: 8 }, async (_, n) => {
            await store.open(tenant);
            await commits(store, tenant, pending({ id: `a${n}`, version: 0 }));
          }),
        );
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(8);
      },
    },
    {
      title: "refuses commits while suspended, writes nothing of them, and takes them again when opened",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 1);
        await store.suspend(tenant);
        expect(await store.status(tenant)).to.equal("suspended");
        const commit = pending(
          [
            { id: "a", version: 1 },
            { id: "b", version: 0 },
          ],
          { receipt: receiptOf("k", "a", 1) },
        );
        expect(await rejects(TenantError, send(store, tenant, commit))).to.include({ tenant, status: "suspended" });
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(1);
        expect(await store.receipt(tenant, "k")).to.equal(undefined);
        await store.open(tenant);
        await commits(store, tenant, commit);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(3);
      },
    },
    {
      title: "suspends again without harm",
      check: async ({ store, tenant }) => {
        await store.suspend(tenant);
        await store.suspend(tenant);
        expect(await store.status(tenant)).to.equal("suspended");
      },
    },
    {
      title: "lets readers go on while suspended: loads, reads, leases and cursors",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 3);
        await store.suspend(tenant);
        expect((await historyOf(store, tenant, "a")).length).to.equal(3);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(3);
        await moves(store, await hold(store, tenant, "main"), { cursors: { H: { position: 2 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 2 } });
      },
    },
    {
      title: "shows readers what was acknowledged before the tenant was suspended",
      check: async ({ store, tenant, clock }) => {
        const writers = Array.from({ length: 8 }, (_, n) =>
          send(store, tenant, pending({ id: `a${n}`, version: 0 })).then(() => `a${n}`),
        );
        const [settled] = await Promise.all([Promise.allSettled(writers), store.suspend(tenant)]);
        const acknowledged = settled.flatMap((write) => (write.status === "fulfilled" ? [write.value] : []));
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.have.members(acknowledged);
      },
    },
    ...pages,
    {
      title: "lists a tenant that is being imported, and lets nobody open, suspend, export, read or write it",
      check: async ({ store, tenant, newTenant, clock }) => {
        await grow(store, tenant, "a", 2);
        const records = await exportAll(store, tenant);
        const copy = newTenant();
        const half = async function* () {
          yield* records.slice(0, 2);
          throw new Error("the file ends here");
        };
        await rejects(Error, store.import(copy, half()));
        expect(await registered(store, copy, 10)).to.deep.equal([{ tenant: copy, status: "importing" }]);
        for (const refused of [
          () => store.open(copy),
          () => store.suspend(copy),
          () => exportAll(store, copy),
          () => grow(store, copy, "b", 1),
        ])
          expect(await rejects(TenantError, refused())).to.include({ tenant: copy, status: "importing" });
        const { thread } = await store.peek(copy, "main");
        expect(await rejects(TenantError, store.acquire(copy, "main", thread, 1))).to.include({ status: "importing" });
        expect(await versionOf(store, copy, "a")).to.equal(-1);
        expect((await readAll({ store, clock }, copy)).commits).to.deep.equal([]);
        await store.import(copy, stream(records));
        expect(await versionOf(store, copy, "a")).to.equal(1);
      },
    },
  ],
};
