import { expect } from "chai";
import type { Clause, Facet, Ground } from "./clause.ts";
import { listAll } from "./reading.ts";
import { moves, project, viewWrites } from "./writing.ts";

/** Ids that different databases sort differently: by case, by number, by UTF-16 unit or by code point. */
const IDS = ["b", "a", "B", "A", "10", "9", "_", "é", "z", "Z", "ﬀ", "😀", "a b", "a-b", "a/b", "%"];

function fill({ store, tenant }: Ground) {
  return project(store, tenant, "balances", Object.fromEntries(IDS.map((id) => [id, { id }])));
}

/** One clause for each size of page. */
const pages: readonly Clause[] = [1, 2, 5, 16, 1_000].map((limit) => ({
  title: `visits each view once, in the same order, in pages of ${limit}`,
  check: async (ground) => {
    await fill(ground);
    const whole = await listAll(ground.store, ground.tenant, "balances");
    expect(whole.map(({ id }) => id)).to.have.members(IDS);
    expect(whole.length).to.equal(IDS.length);
    for (const { id, value } of whole) expect(value).to.deep.equal({ id });
    expect(await listAll(ground.store, ground.tenant, "balances", limit)).to.deep.equal(whole);
  },
}));

/** What a store promises of paging through a collection. */
export const viewPages: Facet = {
  name: "pages of views",
  clauses: [
    ...pages,
    {
      title: "lists ids that begin with as many digits in the order of the numbers",
      check: async ({ store, tenant }) => {
        const numbers = [7, 100, 12, 999_999, 1, 35, 101, 20_000];
        const ids = numbers.map((number) => `${String(number).padStart(15, "0")}/Trader/é#${number % 3}`);
        await project(store, tenant, "balances", Object.fromEntries(ids.map((id) => [id, { id }])));
        const listed = await listAll(store, tenant, "balances", 3);
        expect(listed.map(({ id }) => id)).to.deep.equal([...ids].sort());
      },
    },
    {
      title: "goes on after any view of the list",
      check: async (ground) => {
        await fill(ground);
        const whole = await listAll(ground.store, ground.tenant, "balances");
        for (const [place, { id }] of whole.entries()) {
          const page = await ground.store.views(ground.tenant, "balances").list({ after: id, limit: 1_000 });
          expect(page.views, id).to.deep.equal(whole.slice(place + 1));
        }
      },
    },
    {
      title: "goes on after a view that was deleted meanwhile",
      check: async (ground) => {
        const lease = await fill(ground);
        const whole = await listAll(ground.store, ground.tenant, "balances");
        const page = await ground.store.views(ground.tenant, "balances").list({ limit: 4 });
        await moves(ground.store, lease, { views: viewWrites("balances", { [whole[3]!.id]: undefined }) });
        const rest = await ground.store.views(ground.tenant, "balances").list({ after: page.next!, limit: 1_000 });
        expect(rest.views).to.deep.equal(whole.slice(4));
      },
    },
    {
      title: "keeps the order of the list when views change",
      check: async (ground) => {
        const lease = await fill(ground);
        const before = (await listAll(ground.store, ground.tenant, "balances")).map(({ id }) => id);
        const changed = Object.fromEntries(before.slice(3, 9).map((id) => [id, { changed: true }]));
        await moves(ground.store, lease, { views: viewWrites("balances", changed) });
        expect((await listAll(ground.store, ground.tenant, "balances")).map(({ id }) => id)).to.deep.equal(before);
      },
    },
    {
      title: "lists a thousand views of one collection in one page",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", {});
        for (let part = 0; part < 12; part++) {
          const views = Array.from({ length: 90 }, (_, n) => [`id-${part * 90 + n}`, { n }] as const);
          await moves(store, lease, { views: viewWrites("balances", Object.fromEntries(views)) });
        }
        const page = await store.views(tenant, "balances").list({ limit: 1_000 });
        expect(new Set(page.views.map(({ id }) => id)).size).to.equal(1_000);
        const rest = await store.views(tenant, "balances").list({ limit: 1_000, after: page.next! });
        expect(new Set([...page.views, ...rest.views].map(({ id }) => id)).size).to.equal(1_080);
      },
    },
  ],
};
