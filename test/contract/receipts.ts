import { expect } from "chai";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Facet } from "./clause.ts";
import { pending, receiptOf, TYPE } from "./pending.ts";
import { historyOf, readAll, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a store promises of receipts: a commandId is carried out once. */
export const receipts: Facet = {
  name: "receipts",
  clauses: [
    {
      title: "has none for a commandId that was never used",
      check: async ({ store, tenant }) => {
        expect(await store.receipt(tenant, "never")).to.equal(undefined);
      },
    },
    {
      title: "gives back every fact of a receipt at once, frozen, and only under its own commandId",
      check: async ({ store, tenant }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k-1", "a", 0) }));
        const receipt = await store.receipt(tenant, "k-1");
        expect(receipt).to.deep.equal(receiptOf("k-1", "a", 0));
        expect(isDeepFrozen(receipt)).to.equal(true);
        for (const other of ["k-", "k-10", "K-1", "k"]) expect(await store.receipt(tenant, other), other).to.equal(undefined);
      },
    },
    {
      title: "lets the receipt lie in the first commit that the command produced, and in no other",
      check: async ({ store, tenant, clock }) => {
        const writes = ["b", "a"].map((id) => ({ id, version: 0 }));
        await commits(store, tenant, pending(writes, { receipt: receiptOf("k", "a", 0) }));
        const [first, second] = (await readAll({ store, clock }, tenant)).commits;
        expect(first!.receipt).to.deep.equal(receiptOf("k", "a", 0));
        expect(second).not.to.have.property("receipt");
        expect((await historyOf(store, tenant, "b"))[0]!.receipt).to.deep.equal(receiptOf("k", "a", 0));
      },
    },
    {
      title: "refuses a used commandId with the first receipt and writes nothing",
      check: async ({ store, tenant, clock }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        const writes = [
          { id: "b", version: 0, snapshot: { schema: 0, state: {} } },
          { id: "a", version: 1 },
        ];
        const outcome = await send(store, tenant, pending(writes, { receipt: receiptOf("k", "b", 0) }));
        expect(expectStatus(outcome, "repeated").receipt).to.deep.equal(receiptOf("k", "a", 0));
        expect(await store.receipt(tenant, "k")).to.deep.equal(receiptOf("k", "a", 0));
        expect(await versionOf(store, tenant, "b")).to.equal(-1);
        expect((await store.load({ tenant, type: TYPE, id: "b" })).snapshot).to.equal(undefined);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "writes nothing where the commandId is used and the version is taken",
      check: async ({ store, tenant, clock }) => {
        const receipt = receiptOf("k", "a", 0);
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt }));
        expect((await send(store, tenant, pending({ id: "a", version: 0 }, { receipt }))).status).to.be.oneOf([
          "repeated",
          "conflict",
        ]);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "commits the neighbours of a used commandId in a group",
      check: async ({ store, tenant }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        const outcomes = await store.commit(tenant, [
          pending({ id: "b", version: 0 }, { receipt: receiptOf("b", "b", 0) }),
          pending({ id: "c", version: 0 }, { receipt: receiptOf("k", "c", 0) }),
          pending({ id: "d", version: 0 }, { receipt: receiptOf("d", "d", 0) }),
        ]);
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "repeated", "committed"]);
        expect(await versionOf(store, tenant, "c")).to.equal(-1);
        for (const id of ["b", "d"]) expect(await store.receipt(tenant, id)).to.deep.equal(receiptOf(id, id, 0));
      },
    },
    {
      title: "lets a commandId be used after the commit that carried it conflicted",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        expectStatus(
          await send(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) })),
          "conflict",
        );
        expect(await store.receipt(tenant, "k")).to.equal(undefined);
        await commits(store, tenant, pending({ id: "a", version: 1 }, { receipt: receiptOf("k", "a", 1) }));
        expect(await store.receipt(tenant, "k")).to.deep.equal(receiptOf("k", "a", 1));
      },
    },
    {
      title: "carries one of eight commands with the same commandId out",
      check: async ({ store, tenant, clock }) => {
        const rivals = Array.from({ length: 8 }, (_, n) =>
          pending({ id: `a${n}`, version: 0 }, { receipt: receiptOf("k", `a${n}`, 0) }),
        );
        const outcomes = await Promise.all(rivals.map((rival) => send(store, tenant, rival)));
        const winners = rivals.filter((_, index) => outcomes[index]!.status === "committed");
        expect(winners.length).to.equal(1);
        for (const outcome of outcomes.filter(({ status }) => status !== "committed"))
          expect(expectStatus(outcome, "repeated").receipt).to.deep.equal(winners[0]!.receipt);
        expect((await readAll({ store, clock }, tenant)).commits.map(({ commitId }) => commitId)).to.deep.equal([
          winners[0]!.commitId,
        ]);
      },
    },
    {
      title: "still knows a receipt after six days, and after later commands",
      check: async ({ store, tenant, clock }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        clock.turn(6 * DAY_MS);
        for (let n = 1; n < 6; n++)
          await commits(store, tenant, pending({ id: "a", version: n }, { receipt: receiptOf(`k${n}`, "a", n) }));
        expect(await store.receipt(tenant, "k")).to.deep.equal(receiptOf("k", "a", 0));
        const again = await send(store, tenant, pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0) }));
        expect(expectStatus(again, "repeated").receipt).to.deep.equal(receiptOf("k", "a", 0));
      },
    },
    {
      title: "writes no receipt for a commit that carries none",
      check: async ({ store, tenant }) => {
        const commit = await commits(store, tenant, pending({ id: "a", version: 0 }));
        for (const key of ["undefined", "null", commit.commitId]) expect(await store.receipt(tenant, key)).to.equal(undefined);
      },
    },
  ],
};
