import { expect } from "chai";
import type { Clause, Facet } from "./clause.ts";
import { oddNames } from "./names.ts";
import { ACCEPTED_IDS } from "./odd-ids.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { historyOf, listAll, readAll, viewOf } from "./reading.ts";
import { commits, expectStatus, project, send } from "./writing.ts";

/** One clause for each odd id of an aggregate: it has its own history and its own place in the order. */
const aggregates: readonly Clause[] = Object.entries(ACCEPTED_IDS).map(([what, id]) => ({
  title: `takes ${what} as the id of an aggregate`,
  check: async ({ store, tenant, clock }) => {
    const snapshot = { schema: 0, state: { id } };
    await commits(store, tenant, pending({ id, version: 0, payload: { id }, snapshot }));
    await commits(
      store,
      tenant,
      pending({ id, version: 1, payload: { id }, snapshot }, { verified: [{ type: "loan", id, version: -1 }] }),
    );
    expectStatus(await send(store, tenant, pending({ id, version: 1 })), "conflict");
    const history = await historyOf(store, tenant, id);
    expect(history.map((commit) => [commit.id, commit.version, commit.events[0]!.payload])).to.deep.equal([
      [id, 0, { id }],
      [id, 1, { id }],
    ]);
    const read = (await readAll({ store, clock }, tenant)).commits;
    expect(read.map((commit) => commit.id)).to.deep.equal([id, id]);
    expect(await store.positionOf({ tenant, type: TYPE, id }, 1)).to.equal(read[1]!.position);
  },
}));

/** One clause for each odd id, of a view and of a command. */
const viewsAndCommands: readonly Clause[] = Object.entries(ACCEPTED_IDS).map(([what, id]) => ({
  title: `takes ${what} as the id of a view and of a command`,
  check: async ({ store, tenant }) => {
    await project(store, tenant, "balances", { [id]: { of: id } });
    expect(await viewOf(store, tenant, "balances", id)).to.deep.equal({ of: id });
    expect(await listAll(store, tenant, "balances")).to.deep.equal([{ id, value: { of: id } }]);
    expect((await store.views(tenant, "balances").list({ after: id, limit: 10 })).views).to.deep.equal([]);
    await commits(store, tenant, pending({ id: "plain", version: 0 }, { receipt: receiptOf(id, "plain", 0) }));
    expect(await store.receipt(tenant, id)).to.deep.equal(receiptOf(id, "plain", 0));
    const again = await send(store, tenant, pending({ id: "other", version: 0 }, { receipt: receiptOf(id, "other", 0) }));
    expect(expectStatus(again, "repeated").receipt.commandId).to.equal(id);
  },
}));

interface Pair {
  readonly type: string;
  readonly id: string;
}

/** Addresses whose parts join to the same text by one delimiter or another. */
const PAIRS: readonly (readonly [Pair, Pair])[] = [
  [
    { type: "a-b", id: "c" },
    { type: "a", id: "b-c" },
  ],
  [
    { type: "a_b", id: "c" },
    { type: "a", id: "b_c" },
  ],
  [
    { type: "ab", id: "c" },
    { type: "a", id: "bc" },
  ],
  [
    { type: "a", id: "x.1" },
    { type: "a", id: "x" },
  ],
  [
    { type: "a", id: "x#1" },
    { type: "a", id: "x" },
  ],
  [
    { type: "a", id: "x/1" },
    { type: "a", id: "x" },
  ],
  [
    { type: "a", id: "x-0000000001" },
    { type: "a", id: "x" },
  ],
  [
    { type: "A", id: "x" },
    { type: "a", id: "x" },
  ],
  [
    { type: "a", id: "x%2Fy" },
    { type: "a", id: "x/y" },
  ],
];

/** One clause for each pair of addresses. */
const pairs: readonly Clause[] = PAIRS.map(([left, right]) => ({
  title: `keeps ${left.type}, ${left.id} and ${right.type}, ${right.id} apart`,
  check: async ({ store, tenant }) => {
    for (let version = 0; version < 3; version++) {
      for (const { type, id } of [left, right])
        await commits(
          store,
          tenant,
          pending({ type, id, version, payload: { type, id }, snapshot: { schema: 0, state: { type, id } } }),
        );
    }
    for (const { type, id } of [left, right]) {
      const history = await historyOf(store, tenant, id, type);
      expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal([0, 1, 2].map(() => ({ type, id })));
      const { snapshot } = await store.load({ tenant, type, id });
      if (snapshot !== undefined) expect(snapshot.state).to.deep.equal({ type, id });
    }
  },
}));

/** What a store promises of names and ids, however spelled. */
export const ids: Facet = {
  name: "ids",
  clauses: [
    ...aggregates,
    ...viewsAndCommands,
    ...pairs,
    ...oddNames,
    {
      title: "keeps all the odd ids apart in one tenant",
      check: async ({ store, tenant, clock }) => {
        const all = Object.values(ACCEPTED_IDS);
        const outcomes = await store.commit(
          tenant,
          all.map((id) => pending({ id, version: 0, payload: { id } }, { receipt: receiptOf(id, id, 0) })),
        );
        for (const outcome of outcomes) expectStatus(outcome, "committed");
        await project(store, tenant, "balances", Object.fromEntries(all.map((id) => [id, { id }])));
        for (const id of all) {
          expect((await historyOf(store, tenant, id)).map(({ events }) => events[0]!.payload)).to.deep.equal([{ id }]);
          expect(await store.receipt(tenant, id)).to.deep.equal(receiptOf(id, id, 0));
        }
        expect(await store.views(tenant, "balances").get(all)).to.deep.equal(all.map((id) => ({ id })));
        expect((await listAll(store, tenant, "balances", 7)).map(({ id }) => id)).to.have.members(all);
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.have.members(all);
      },
    },
  ],
};
