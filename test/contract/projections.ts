import { expect } from "chai";
import { MAX_CURSOR_BYTES, MAX_CURSOR_WRITES } from "../../core/ports/threads.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Facet } from "./clause.ts";
import { listAll, viewOf } from "./reading.ts";
import { cursorsOf, hold, moves, project, viewWrites } from "./writing.ts";

/** What a store promises of the views that projections keep. */
export const projections: Facet = {
  name: "projections",
  clauses: [
    {
      title: "has no views in a collection that nobody wrote",
      check: async ({ store, tenant }) => {
        expect(await store.views(tenant, "balances").get(["a", "b"])).to.deep.equal([undefined, undefined]);
        expect(await listAll(store, tenant, "balances")).to.deep.equal([]);
      },
    },
    {
      title: "shows a view as soon as the cursor that brought it is committed",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", {});
        for (let position = 1; position <= 5; position++) {
          const cursors = { Balances: { position, collection: "balances" } };
          await moves(store, lease, { cursors, views: viewWrites("balances", { a: { sum: position } }) });
          expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ sum: position });
          expect(await cursorsOf(store, tenant, "views")).to.deep.equal(cursors);
        }
      },
    },
    {
      title: "gets views in the order that was asked, with undefined for those that are not there",
      check: async ({ store, tenant }) => {
        await project(store, tenant, "balances", { a: { n: 1 }, b: { n: 2 }, c: { n: 3 } });
        expect(await store.views(tenant, "balances").get(["c", "nobody", "a"])).to.deep.equal([{ n: 3 }, undefined, { n: 1 }]);
      },
    },
    {
      title: "gets a hundred views at once",
      check: async ({ store, tenant }) => {
        const ids = Array.from({ length: 100 }, (_, n) => `id-${n}`);
        const lease = await project(store, tenant, "balances", {});
        for (const part of [ids.slice(0, 50), ids.slice(50, 99)])
          await moves(store, lease, { views: viewWrites("balances", Object.fromEntries(part.map((id) => [id, { id }]))) });
        const expected = ids.map((id, n) => (n < 99 ? { id } : undefined));
        expect(await store.views(tenant, "balances").get(ids)).to.deep.equal(expected);
      },
    },
    {
      title: "replaces a view as a whole",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", { a: { sum: 1, owner: { name: "ada", tags: ["x", "y"] } } });
        await moves(store, lease, { views: viewWrites("balances", { a: { owner: { tags: ["z"] } } }) });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ owner: { tags: ["z"] } });
      },
    },
    {
      title: "keeps an empty view apart from none",
      check: async ({ store, tenant }) => {
        await project(store, tenant, "balances", { a: {} });
        expect(await store.views(tenant, "balances").get(["a", "b"])).to.deep.equal([{}, undefined]);
        expect(await listAll(store, tenant, "balances")).to.deep.equal([{ id: "a", value: {} }]);
      },
    },
    {
      title: "deletes a view that is written without a value, also one that is not there, and can bring it back",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", { a: { n: 1 }, b: { n: 2 } });
        await moves(store, lease, { views: viewWrites("balances", { a: undefined, nobody: undefined }) });
        expect(await store.views(tenant, "balances").get(["a", "b", "nobody"])).to.deep.equal([undefined, { n: 2 }, undefined]);
        expect(await listAll(store, tenant, "balances")).to.deep.equal([{ id: "b", value: { n: 2 } }]);
        await moves(store, lease, { views: viewWrites("balances", { a: { n: 3 } }) });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ n: 3 });
      },
    },
    {
      title: "writes and deletes views of several collections at once",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "sums", { a: { n: 1 } }, { handler: "Sums" });
        await moves(store, lease, {
          cursors: { Counts: { position: 1, collection: "counts" } },
          claims: [{ collection: "counts", handler: "Counts" }],
          views: [...viewWrites("sums", { a: undefined, b: { n: 2 } }), ...viewWrites("counts", { a: { n: 9 } })],
        });
        expect(await listAll(store, tenant, "sums")).to.deep.equal([{ id: "b", value: { n: 2 } }]);
        expect(await listAll(store, tenant, "counts")).to.deep.equal([{ id: "a", value: { n: 9 } }]);
      },
    },
    {
      title: "keeps collections with similar names apart",
      check: async ({ store, tenant }) => {
        const names = ["sum", "Sum", "sums", "su", "sum-1", "sum_1", "sum1"];
        for (const name of names)
          await project(store, tenant, name, { a: { of: name } }, { thread: "all", handler: `H${names.indexOf(name)}` });
        for (const name of names)
          expect(await listAll(store, tenant, name), name).to.deep.equal([{ id: "a", value: { of: name } }]);
      },
    },
    {
      title: `writes ${MAX_CURSOR_WRITES} views in one write`,
      check: async ({ store, tenant }) => {
        const views = Object.fromEntries(Array.from({ length: MAX_CURSOR_WRITES }, (_, n) => [`id-${n}`, { n }]));
        await project(store, tenant, "balances", views);
        const listed = await listAll(store, tenant, "balances");
        expect(listed.length).to.equal(MAX_CURSOR_WRITES);
        expect(Object.fromEntries(listed.map(({ id, value }) => [id, value]))).to.deep.equal(views);
      },
    },
    {
      title: `writes views of ${MAX_CURSOR_BYTES} bytes in one write, and lists them`,
      check: async ({ store, tenant }) => {
        const text = "x".repeat(MAX_CURSOR_BYTES / 12 - 20);
        const views = Object.fromEntries(Array.from({ length: 12 }, (_, n) => [`id-${n}`, { n, text }]));
        await project(store, tenant, "balances", views);
        const listed = await listAll(store, tenant, "balances");
        expect(listed.map(({ value }) => value.n)).to.have.members([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        for (const { value } of listed) expect(value.text === text).to.equal(true);
      },
    },
    {
      title: "keeps views while their thread is leased by one reader after the other",
      check: async ({ store, tenant }) => {
        for (let n = 0; n < 4; n++) await project(store, tenant, "balances", { [`id-${n}`]: { n } });
        expect((await listAll(store, tenant, "balances")).length).to.equal(4);
      },
    },
    {
      title: "returns frozen views",
      check: async ({ store, tenant }) => {
        await project(store, tenant, "balances", { a: { list: [{ deep: 1 }] } });
        expect(isDeepFrozen(await viewOf(store, tenant, "balances", "a")), "get").to.equal(true);
        expect((await listAll(store, tenant, "balances")).every(isDeepFrozen), "list").to.equal(true);
      },
    },
    {
      title: "writes views on while the tenant is suspended, for readers go on",
      check: async ({ store, tenant }) => {
        await store.suspend(tenant);
        await project(store, tenant, "balances", { a: { n: 1 } });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ n: 1 });
        expect((await hold(store, tenant, "views")).fence).to.equal(2);
      },
    },
  ],
};
