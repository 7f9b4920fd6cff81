import { expect } from "chai";
import type { Facet } from "./clause.ts";
import { pending, receiptOf } from "./pending.ts";
import { historyOf, readAll, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

/** What a store promises of the same pending commit sent again, as after an unknown outcome. */
export const resends: Facet = {
  name: "resends",
  clauses: [
    {
      title: "finds its own commit again and does not double it",
      check: async ({ store, tenant, clock }) => {
        const commit = await commits(store, tenant, pending({ id: "a", version: 0 }));
        for (let again = 0; again < 3; again++) expectStatus(await send(store, tenant, commit), "committed");
        expect(await versionOf(store, tenant, "a")).to.equal(0);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(1);
      },
    },
    {
      title: "finds its own commit after others landed on the same aggregate",
      check: async ({ store, tenant, clock }) => {
        const grown = await grow(store, tenant, "a", 5);
        expectStatus(await send(store, tenant, grown[1]!), "committed");
        expect((await historyOf(store, tenant, "a")).map(({ commitId }) => commitId)).to.deep.equal(
          grown.map(({ commitId }) => commitId),
        );
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(5);
      },
    },
    {
      title: "tells the same positions again, where it tells them at all",
      check: async ({ store, tenant, clock }) => {
        const commit = await commits(store, tenant, pending(["a", "b"].map((id) => ({ id, version: 0 }))));
        await grow(store, tenant, "c", 2);
        const again = expectStatus(await send(store, tenant, commit), "committed");
        const read = (await readAll({ store, clock }, tenant)).commits.filter(({ commitId }) => commitId === commit.commitId);
        if (again.positions !== undefined) expect(again.positions).to.deep.equal(read.map(({ position }) => position));
      },
    },
    {
      title: "finds a commit on several aggregates after each of them went on",
      check: async ({ store, tenant, clock }) => {
        const commit = await commits(store, tenant, pending(["a", "b"].map((id) => ({ id, version: 0 }))));
        for (const id of ["a", "b"]) await grow(store, tenant, id, 1, { version: 1 });
        expectStatus(await send(store, tenant, commit), "committed");
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(4);
      },
    },
    {
      title: "finds its own commit with a receipt, rather than calling it repeated",
      check: async ({ store, tenant }) => {
        const commit = await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        await grow(store, tenant, "a", 1, { version: 1 });
        expectStatus(await send(store, tenant, commit), "committed");
        expect(await store.receipt(tenant, "k")).to.deep.equal(receiptOf("k", "a", 0));
      },
    },
    {
      title: "finds its own commit although what it verified has changed since",
      check: async ({ store, tenant }) => {
        const commit = await commits(
          store,
          tenant,
          pending({ id: "a", version: 0 }, { verified: [{ type: "account", id: "b", version: -1 }] }),
        );
        await grow(store, tenant, "b", 1);
        expectStatus(await send(store, tenant, commit), "committed");
        expect(await versionOf(store, tenant, "a")).to.equal(0);
      },
    },
    {
      title: "takes a resend among new neighbours, each with its own outcome",
      check: async ({ store, tenant, clock }) => {
        const old = await commits(store, tenant, pending({ id: "old", version: 0 }));
        await grow(store, tenant, "taken", 1);
        const outcomes = await store.commit(tenant, [
          pending({ id: "new", version: 0 }),
          old,
          pending({ id: "taken", version: 0 }),
          pending({ id: "newer", version: 0 }),
        ]);
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "committed", "conflict", "committed"]);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(4);
      },
    },
    {
      title: "commits once what is sent eight times at once",
      check: async ({ store, tenant, clock }) => {
        const commit = pending(
          ["a", "b"].map((id) => ({ id, version: 0 })),
          { receipt: receiptOf("k", "a", 0) },
        );
        const outcomes = await Promise.all(Array.from({ length: 8 }, () => send(store, tenant, commit)));
        for (const outcome of outcomes) expectStatus(outcome, "committed");
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.deep.equal(["a", "b"]);
      },
    },
    {
      title: "refuses a resend of what conflicted again, as long as the version is taken",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        const commit = pending({ id: "a", version: 0 });
        expectStatus(await send(store, tenant, commit), "conflict");
        expect(expectStatus(await send(store, tenant, commit), "conflict").actual).to.equal(0);
      },
    },
  ],
};
