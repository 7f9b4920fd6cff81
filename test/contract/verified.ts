import { expect } from "chai";
import { LIMITS, type PendingCommit, type Verified } from "../../core/index.ts";
import type { Clause, Facet } from "./clause.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { historyOf, readAll, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

/** A commit on one aggregate that verifies others. */
function verifying(id: string, version: number, ...verified: readonly (readonly [id: string, version: number])[]): PendingCommit {
  return pending(
    { id, version },
    { verified: verified.map(([other, at]): Verified => ({ type: TYPE, id: other, version: at })) },
  );
}

interface Change {
  readonly from: number;
  readonly to: number;
}

/** One clause for each way in which what was verified may have changed. */
const changed: readonly Clause[] = (
  [
    { from: -1, to: 0 },
    { from: 0, to: 1 },
    { from: 2, to: 5 },
  ] satisfies readonly Change[]
).map(({ from, to }) => ({
  title: `refuses a commit, whole, that verified version ${from} of what stands at ${to}`,
  check: async ({ store, tenant }) => {
    await grow(store, tenant, "rate", to + 1);
    const writes = ["a", "b"].map((id) => ({ id, version: 0 }));
    const verified = [{ type: TYPE, id: "rate", version: from }];
    const outcome = await send(store, tenant, pending(writes, { verified, receipt: receiptOf("k", "a", 0) }));
    expect(expectStatus(outcome, "conflict")).to.include({ type: TYPE, id: "rate", actual: to });
    for (const id of ["a", "b"]) expect(await versionOf(store, tenant, id)).to.equal(-1);
    expect(await store.receipt(tenant, "k")).to.equal(undefined);
  },
}));

/** What a store promises of the aggregates that a commit verifies. */
export const verified: Facet = {
  name: "verified reads",
  clauses: [
    ...changed,
    {
      title: "commits where each verified aggregate is as it was seen, absent ones included",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "rate", 2);
        await commits(store, tenant, verifying("a", 0, ["rate", 1], ["nobody", -1]));
        expect(await versionOf(store, tenant, "a")).to.equal(0);
      },
    },
    {
      title: "leaves no trace on what it verified",
      check: async ({ store, tenant, clock }) => {
        const grown = await grow(store, tenant, "rate", 2);
        await commits(store, tenant, verifying("a", 0, ["rate", 1], ["nobody", -1]));
        expect((await historyOf(store, tenant, "rate")).map(({ commitId }) => commitId)).to.deep.equal(
          grown.map(({ commitId }) => commitId),
        );
        expect((await store.load({ tenant, type: TYPE, id: "nobody" })).commits).to.deep.equal([]);
        expect(await store.positionOf({ tenant, type: TYPE, id: "nobody" }, 0)).to.equal(undefined);
        expect(await store.positionOf({ tenant, type: TYPE, id: "rate" }, 2)).to.equal(undefined);
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.deep.equal(["rate", "rate", "a"]);
      },
    },
    {
      title: "lets what was verified go on at its next version",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "rate", 1);
        await commits(store, tenant, verifying("a", 0, ["rate", 0], ["nobody", -1]));
        await grow(store, tenant, "rate", 2, { version: 1 });
        await grow(store, tenant, "nobody", 2);
        expect(await versionOf(store, tenant, "rate")).to.equal(2);
        expect(await versionOf(store, tenant, "nobody")).to.equal(1);
      },
    },
    {
      title: "puts a commit after what it verified in the order, and before what changed it",
      check: async ({ store, tenant, clock }) => {
        for (let version = 0; version < 5; version++) {
          await commits(store, tenant, verifying("a", version, ["rate", version - 1]));
          await grow(store, tenant, "rate", 1, { version });
        }
        const { commits: order } = await readAll({ store, clock }, tenant);
        expect(order.map(({ id }) => id)).to.deep.equal(Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? "a" : "rate")));
      },
    },
    {
      title: "lets the members of a group verify the same aggregate",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "rate", 1);
        const outcomes = await store.commit(
          tenant,
          ["a", "b", "c"].map((id) => verifying(id, 0, ["rate", 0], ["nobody", -1])),
        );
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "committed", "committed"]);
      },
    },
    {
      title: "refuses only those members of a group whose own verified version is stale",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "rate", 2);
        const outcomes = await store.commit(tenant, [
          verifying("a", 0, ["rate", 1]),
          verifying("b", 0, ["rate", 0]),
          verifying("c", 0, ["rate", 1]),
        ]);
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "conflict", "committed"]);
        expect(await versionOf(store, tenant, "b")).to.equal(-1);
      },
    },
    {
      title: "never lets two commits through that each verified what the other wrote",
      check: async ({ store, tenant }) => {
        for (let round = 0; round < 5; round++) {
          const [left, right] = [`left${round}`, `right${round}`];
          const outcomes = await Promise.all([
            send(store, tenant, verifying(left, 0, [right, -1])),
            send(store, tenant, verifying(right, 0, [left, -1])),
          ]);
          expect(outcomes.filter(({ status }) => status === "committed").length, `round ${round}`).to.be.at.most(1);
        }
      },
    },
    {
      title: "keeps the order true between a commit and a racing change of what it verified",
      check: async ({ store, tenant, clock }) => {
        for (let round = 0; round < 5; round++) {
          const rate = `rate${round}`;
          const [outcome] = await Promise.all([
            send(store, tenant, verifying(`a${round}`, 0, [rate, -1])),
            commits(store, tenant, pending({ id: rate, version: 0 })),
          ]);
          const order = (await readAll({ store, clock }, tenant)).commits.map(({ id }) => id);
          if (outcome.status === "committed") expect(order.indexOf(`a${round}`)).to.be.below(order.indexOf(rate));
          else expect(order).not.to.include(`a${round}`);
        }
      },
    },
    {
      title: `writes ${LIMITS.written} and verifies ${LIMITS.verified} aggregates in one commit, or nothing if the last is stale`,
      check: async ({ store, tenant }) => {
        const writes = (version: number) => Array.from({ length: LIMITS.written }, (_, n) => ({ id: `w${n}`, version }));
        const reads = Array.from({ length: LIMITS.verified }, (_, n) => ({ type: TYPE, id: `v${n}`, version: -1 }));
        await commits(store, tenant, pending(writes(0), { verified: reads }));
        await grow(store, tenant, `v${LIMITS.verified - 1}`, 1);
        expectStatus(await send(store, tenant, pending(writes(1), { verified: reads })), "conflict");
        for (const { id } of writes(1)) expect(await versionOf(store, tenant, id)).to.equal(0);
      },
    },
  ],
};
