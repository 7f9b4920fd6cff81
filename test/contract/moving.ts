import { expect } from "chai";
import { type ExportRecord, TenantError, ValidationError } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { exportAll, historyOf, listAll, loadWhole, parkedAll, readAll, stream, versionOf } from "./reading.ts";
import { commits, cursorsOf, expectStatus, grow, hold, moves, project, send } from "./writing.ts";

/** Gives a tenant commits on three aggregates, one of them redacted, a receipt, and threads that stand at the third commit. */
async function live({ store, tenant, clock }: Ground): Promise<number> {
  await grow(store, tenant, "a", 2, { snapshots: true });
  await commits(
    store,
    tenant,
    pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0), correlationId: "c-1", causationId: "c-0" }),
  );
  await commits(store, tenant, pending(["a", "c"].map((id) => ({ id, version: id === "a" ? 2 : 0 }))));
  await grow(store, tenant, "b", 1, { version: 1 });
  await store.redact({ tenant, type: TYPE, id: "c" }, () => ({ redacted: true }), 1_700_000_000_123);
  const third = (await readAll({ store, clock }, tenant)).commits[2]!.position;
  const lease = await project(store, tenant, "balances", { a: { sum: 1 } }, { thread: "main", handler: "Projection" });
  await moves(store, lease, {
    cursors: { Projection: { position: third, collection: "balances" }, Mailer: { position: third }, Idle: { position: 0 } },
    park: [{ handler: "Mailer", position: third, index: 0, event: "Changed", attempts: 4, error: "no", parkedAt: 5 }],
  });
  return third;
}

/** The kinds of records that an import refuses, each made from a good export. */
const BROKEN: Readonly<Record<string, (records: readonly ExportRecord[]) => readonly ExportRecord[]>> = {
  "nothing at all": () => [],
  "no header": (records) => records.slice(1),
  "a header of another format": ([header, ...rest]) => [{ ...header, format: 2 } as unknown as ExportRecord, ...rest],
  "two headers": ([header, ...rest]) => [header!, header!, ...rest],
  "no end": (records) => records.slice(0, -1),
  "an end after the header": ([header, ...rest]) => [header!, rest.at(-1)!, ...rest.slice(0, -1)],
  "records after the end": (records) => [...records, records.find(({ kind }) => kind === "thread")!],
  "an end that counts more commits": (records) =>
    records.map((record) => (record.kind === "end" ? { ...record, commits: record.commits + 1 } : record)),
  "a commit left out": (records) => records.filter((record) => !(record.kind === "commit" && record.position === 3)),
  "the first commit left out": (records) => records.filter((record) => !(record.kind === "commit" && record.position === 1)),
  "a commit twice": (records) =>
    records.flatMap((record) => (record.kind === "commit" && record.position === 3 ? [record, record] : [record])),
  "two commits that changed places": (records) =>
    records.map((record, place) => (place === 2 ? records[3]! : place === 3 ? records[2]! : record)),
  "a version left out": (records) =>
    records.map((record) =>
      record.kind === "commit" && record.position === 2 ? { ...record, commit: { ...record.commit, version: 7 } } : record,
    ),
  "a commit after a thread": (records) => [
    ...records.filter(({ kind }) => kind !== "commit" && kind !== "end"),
    ...records.filter(({ kind }) => kind === "commit" || kind === "end"),
  ],
  "a record of an unknown kind": ([header, ...rest]) => [header!, { kind: "wish" } as unknown as ExportRecord, ...rest],
};

/** One clause for each broken export: the tenant stays closed, and a good export then fills it as if nothing had been. */
const broken: readonly Clause[] = Object.entries(BROKEN).map(([what, spoil]) => ({
  title: `refuses an export with ${what}, and takes the whole one afterwards`,
  check: async (ground) => {
    const { store, tenant, newTenant } = ground;
    await live(ground);
    const records = await exportAll(store, tenant);
    const copy = newTenant();
    await rejects(ValidationError, store.import(copy, stream(spoil(records))));
    expect(await store.status(copy)).to.be.oneOf(["absent", "importing"]);
    await rejects(TenantError, send(store, copy, pending({ id: "a", version: 0 })));
    await store.import(copy, stream(records));
    expect(await exportAll(store, copy)).to.deep.equal([{ ...records[0]!, tenant: copy }, ...records.slice(1)]);
  },
}));

/** What a store promises of export and import. */
export const moving: Facet = {
  name: "export and import",
  clauses: [
    {
      title: "exports a header, the commits numbered from 1, the threads with their parked events, and the end",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, clock } = ground;
        const records = await exportAll(store, tenant);
        const order = (await readAll({ store, clock }, tenant)).commits;
        expect(order.length).to.equal(6);
        expect(records).to.deep.equal([
          { kind: "tenant", format: 1, tenant },
          ...order.map(({ position: _, tenant: __, ...commit }, index) => ({ kind: "commit", position: index + 1, commit })),
          { kind: "thread", thread: "main", cursors: { Mailer: 3, Idle: 0 } },
          {
            kind: "parked",
            thread: "main",
            parked: { handler: "Mailer", position: 3, index: 0, event: "Changed", attempts: 4, error: "no", parkedAt: 5 },
          },
          { kind: "end", commits: 6 },
        ]);
      },
    },
    {
      title: "exports an empty tenant",
      check: async ({ store, tenant, newTenant }) => {
        const records = await exportAll(store, tenant);
        expect(records).to.deep.equal([
          { kind: "tenant", format: 1, tenant },
          { kind: "end", commits: 0 },
        ]);
        const copy = newTenant();
        await store.import(copy, stream(records));
        expect(await store.status(copy)).to.equal("open");
      },
    },
    {
      title: "imports the same commits in the same order, with versions, commitIds, receipts and marks",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, newTenant, clock } = ground;
        const copy = newTenant();
        await store.import(copy, stream(await exportAll(store, tenant)));
        const facts = async (name: string) =>
          (await readAll({ store, clock }, name)).commits.map(({ position: _, tenant: __, ...commit }) => commit);
        expect(await facts(copy)).to.deep.equal(await facts(tenant));
        expect((await readAll({ store, clock }, copy)).commits.every((commit) => commit.tenant === copy)).to.equal(true);
        for (const id of ["a", "b", "c"]) {
          const source = await historyOf(store, tenant, id);
          expect(await historyOf(store, copy, id)).to.deep.equal(source.map((commit) => ({ ...commit, tenant: copy })));
        }
        expect((await historyOf(store, copy, "c"))[0]!.redactedAt).to.equal(1_700_000_000_123);
        expect(await store.receipt(copy, "k")).to.deep.equal(receiptOf("k", "b", 0));
      },
    },
    {
      title: "imports cursors and parked events at the places they stood at, and no views, claims or projections",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, newTenant, clock } = ground;
        const copy = newTenant();
        await store.import(copy, stream(await exportAll(store, tenant)));
        const order = (await readAll({ store, clock }, copy)).commits;
        const { Mailer, ...others } = await cursorsOf(store, copy, "main");
        const rest = await readAll({ store, clock }, copy, { after: Mailer!.position });
        expect(rest.commits).to.deep.equal(order.slice(3));
        expect(Object.keys(others)).to.deep.equal(["Idle"]);
        expect((await readAll({ store, clock }, copy, { after: others.Idle!.position })).commits.length).to.equal(6);
        expect((await parkedAll(store, copy, "main")).map(({ position }) => position)).to.deep.equal([order[2]!.position]);
        expect(await listAll(store, copy, "balances")).to.deep.equal([]);
        await project(store, copy, "balances", { a: { n: 1 } }, { thread: "new", handler: "New" });
      },
    },
    {
      title: "goes on in an imported tenant: next versions, used commandIds, leases",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, newTenant, clock } = ground;
        const copy = newTenant();
        await store.import(copy, stream(await exportAll(store, tenant)));
        await grow(store, copy, "a", 1, { version: 3 });
        expectStatus(await send(store, copy, pending({ id: "a", version: 3 })), "conflict");
        const repeated = await send(store, copy, pending({ id: "x", version: 0 }, { receipt: receiptOf("k", "x", 0) }));
        expect(expectStatus(repeated, "repeated").receipt).to.deep.equal(receiptOf("k", "b", 0));
        await moves(store, await hold(store, copy, "main"), { cursors: { Mailer: { position: 1_000 } } });
        const order = (await readAll({ store, clock }, copy)).commits;
        expect(order.map(({ id }) => id)).to.deep.equal(["a", "a", "b", "a", "c", "b", "a"]);
        expect(await versionOf(store, tenant, "a")).to.equal(2);
      },
    },
    {
      title: "gives the same export from the copy of a copy",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, newTenant } = ground;
        const [first, second] = [newTenant(), newTenant()];
        const records = await exportAll(store, tenant);
        await store.import(first, stream(records));
        await store.import(second, stream(await exportAll(store, first)));
        expect(await exportAll(store, second)).to.deep.equal([{ ...records[0]!, tenant: second }, ...records.slice(1)]);
      },
    },
    {
      title: "refuses to import into an open or suspended tenant, and leaves it as it is",
      check: async (ground) => {
        await live(ground);
        const { store, tenant } = ground;
        const records = await exportAll(store, tenant);
        const error = await rejects(TenantError, store.import(tenant, stream(records)));
        const advice = "erase it before the import, or import under another name";
        expect(error).to.include({ tenant, status: "open", message: `tenant ${tenant} is open: ${advice}` });
        await store.suspend(tenant);
        const again = await rejects(TenantError, store.import(tenant, stream(records)));
        expect(again).to.include({ tenant, status: "suspended", message: `tenant ${tenant} is suspended: ${advice}` });
        expect(await exportAll(store, tenant)).to.deep.equal(records);
        expect(await store.status(tenant)).to.equal("suspended");
      },
    },
    {
      title: "exports a whole order while commits go on",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 5);
        const records: ExportRecord[] = [];
        let version = 0;
        for await (const record of store.export(tenant)) {
          records.push(record);
          if (version < 5) await grow(store, tenant, "b", 1, { version: version++ });
        }
        const order = (await readAll({ store, clock }, tenant)).commits;
        const exported = records.flatMap((record) => (record.kind === "commit" ? [record] : []));
        expect(exported.length).to.be.at.least(5);
        expect(exported.map(({ position }) => position)).to.deep.equal(exported.map((_, index) => index + 1));
        expect(exported.map(({ commit }) => commit.commitId)).to.deep.equal(
          order.slice(0, exported.length).map(({ commitId }) => commitId),
        );
        expect(records.at(-1)).to.deep.equal({ kind: "end", commits: exported.length });
      },
    },
    {
      title: "exports what can be imported while readers go on",
      check: async ({ store, tenant, clock, newTenant }) => {
        await grow(store, tenant, "a", 4);
        const lease = await hold(store, tenant, "main");
        const records: ExportRecord[] = [];
        for await (const record of store.export(tenant)) {
          records.push(record);
          if (records.length > 1) continue;
          await grow(store, tenant, "b", 3);
          await moves(store, lease, { cursors: { Mailer: { position: (await readAll({ store, clock }, tenant)).next } } });
        }
        const copy = newTenant();
        await store.import(copy, stream(records));
        expect(await exportAll(store, copy)).to.deep.equal([{ ...records[0]!, tenant: copy }, ...records.slice(1)]);
      },
    },
    {
      title: "imports an aggregate that the last import broke off in, from the start",
      check: async (ground) => {
        await live(ground);
        const { store, tenant, newTenant } = ground;
        const records = await exportAll(store, tenant);
        const copy = newTenant();
        for (const length of [1, 3, 5, records.length - 1]) {
          await rejects(ValidationError, store.import(copy, stream(records.slice(0, length))));
          expect(await versionOf(store, copy, "a")).to.equal(-1);
          expect(await store.receipt(copy, "k")).to.equal(undefined);
        }
        await store.import(copy, stream(records));
        expect((await loadWhole(store, { tenant: copy, type: TYPE, id: "a" })).version).to.equal(2);
        expect(await exportAll(store, copy)).to.deep.equal([{ ...records[0]!, tenant: copy }, ...records.slice(1)]);
      },
    },
    ...broken,
  ],
};
