import { expect } from "chai";
import type { Clause, Facet } from "./clause.ts";
import { pending, TYPE } from "./pending.ts";
import { expectRising, historyOf, readAll } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

/** One clause for each size of page, from one commit at a time to more than there are. */
const pageSizes: readonly Clause[] = [1, 2, 3, 7, 64, 1_000].map((limit) => ({
  title: `gives the same order in pages of ${limit}`,
  check: async ({ store, tenant, clock }) => {
    for (let version = 0; version < 5; version++) {
      await store.commit(
        tenant,
        ["a", "b", "c", "d"].map((id) => pending({ id, version })),
      );
    }
    const whole = (await readAll({ store, clock }, tenant)).commits;
    expect(whole.length).to.equal(20);
    expect((await readAll({ store, clock }, tenant, { limit })).commits).to.deep.equal(whole);
  },
}));

/** What a store promises of a tenant's order, to a reader that is alone. */
export const order: Facet = {
  name: "order",
  clauses: [
    {
      title: "has nothing to read where nothing was written",
      check: async ({ store, tenant, clock }) => {
        expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal([]);
      },
    },
    {
      title: "reads commits in the order in which they were acknowledged",
      check: async ({ store, tenant, clock }) => {
        const ids = ["a", "b", "a", "c", "b", "a", "c", "d"];
        const versions: Record<string, number> = {};
        for (const id of ids) {
          versions[id] = (versions[id] ?? -1) + 1;
          await commits(store, tenant, pending({ id, version: versions[id] }));
        }
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.deep.equal(ids);
      },
    },
    {
      title: "numbers commits with integers from 1 that strictly increase",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 12);
        const { commits: read } = await readAll({ store, clock }, tenant);
        expect(read.length).to.equal(12);
        expectRising([0, ...read.map(({ position }) => position)]);
      },
    },
    {
      title: "reads of a commit what loading it gives",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 3);
        const { commits: read } = await readAll({ store, clock }, tenant);
        expect(read.map(({ position: _, ...commit }) => commit)).to.deep.equal(await historyOf(store, tenant, "a"));
      },
    },
    {
      title: "orders the aggregates of one commit as they were written",
      check: async ({ store, tenant, clock }) => {
        const ids = ["m", "a", "z", "b"];
        const outcome = expectStatus(await send(store, tenant, pending(ids.map((id) => ({ id, version: 0 })))), "committed");
        const { commits: read } = await readAll({ store, clock }, tenant);
        expect(read.map(({ id }) => id)).to.deep.equal(ids);
        if (outcome.positions !== undefined) expect(outcome.positions).to.deep.equal(read.map(({ position }) => position));
      },
    },
    {
      title: "tells at commit, if it tells, the positions that reading gives",
      check: async ({ store, tenant, clock }) => {
        const told = new Map<string, readonly number[]>();
        for (let version = 0; version < 4; version++) {
          const group = ["a", "b"].map((id) => pending({ id, version }));
          const outcomes = await store.commit(tenant, group);
          for (const [index, { commitId }] of group.entries()) {
            const { positions } = expectStatus(outcomes[index], "committed");
            if (positions !== undefined) told.set(commitId, positions);
          }
        }
        const { commits: read } = await readAll({ store, clock }, tenant);
        expect(read.length).to.equal(8);
        for (const { commitId, position } of read) if (told.has(commitId)) expect(told.get(commitId)).to.deep.equal([position]);
      },
    },
    {
      title: "tells the position of every commit, and of none that does not exist",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 3);
        await commits(
          store,
          tenant,
          pending([
            { id: "b", version: 0 },
            { id: "a", version: 3 },
          ]),
        );
        for (const { type, id, version, position } of (await readAll({ store, clock }, tenant)).commits)
          expect(await store.positionOf({ tenant, type, id }, version)).to.equal(position);
        expect(await store.positionOf({ tenant, type: TYPE, id: "a" }, 4)).to.equal(undefined);
        expect(await store.positionOf({ tenant, type: "loan", id: "a" }, 0)).to.equal(undefined);
        expect(await store.positionOf({ tenant, type: TYPE, id: "nobody" }, 0)).to.equal(undefined);
      },
    },
    ...pageSizes,
    {
      title: "goes on from any position, whether a commit is there or not",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 6);
        const { commits: whole, next } = await readAll({ store, clock }, tenant);
        for (let after = 0; after <= next; after++) {
          const expected = whole.filter(({ position }) => position > after);
          expect((await readAll({ store, clock }, tenant, { after })).commits).to.deep.equal(expected);
        }
      },
    },
    {
      title: "has nothing after the last commit, however far",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 2);
        const { next } = await readAll({ store, clock }, tenant);
        expect((await store.read(tenant, next, 10)).commits).to.deep.equal([]);
        const beyond = await store.read(tenant, next + 1_000, 10);
        expect({ commits: beyond.commits, next: beyond.next }).to.deep.equal({ commits: [], next: next + 1_000 });
      },
    },
    {
      title: "never lets a later commit appear at or before where a reader has been",
      check: async ({ store, tenant, clock }) => {
        let after = 0;
        for (let version = 0; version < 20; version++) {
          await commits(store, tenant, pending({ id: "a", version }));
          const { commits: read, next } = await readAll({ store, clock }, tenant, { after });
          expect(read.map((commit) => commit.version)).to.deep.equal([version]);
          after = next;
        }
      },
    },
    {
      title: "tells a head that no commit lies beyond, and that every later commit lies beyond",
      check: async ({ store, tenant, clock }) => {
        for (let version = 0; version < 5; version++) {
          const { head } = await store.peek(tenant, "tail");
          const before = (await readAll({ store, clock }, tenant)).commits.at(-1)?.position ?? 0;
          expect(before).to.be.at.most(head);
          await commits(store, tenant, pending({ id: "a", version }));
          const { commits: later } = await readAll({ store, clock }, tenant, { after: head });
          expect(later.map((commit) => commit.version)).to.deep.equal([version]);
        }
      },
    },
    {
      title: "reaches the head by reading to the end",
      check: async ({ store, tenant, clock }) => {
        for (let version = 0; version < 3; version++) {
          const { next } = await readAll({ store, clock }, tenant);
          expect(next).to.be.at.least((await store.peek(tenant, "tail")).head);
          await commits(store, tenant, pending({ id: "a", version }));
        }
      },
    },
    {
      title: "may be told of a wait that is over",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 3);
        const whole = await readAll({ store, clock }, tenant);
        const late = { position: whole.commits[0]!.position, since: clock.now() - 60_000 };
        expect((await store.read(tenant, 0, 10, late)).commits).to.deep.equal(whole.commits);
      },
    },
    {
      title: "does not stumble over conflicts",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 1);
        for (let n = 0; n < 5; n++) {
          expectStatus(await send(store, tenant, pending({ id: "a", version: 0 })), "conflict");
          await grow(store, tenant, `b${n}`, 1);
        }
        const read = (await readAll({ store, clock }, tenant)).commits.map(({ id }) => id);
        expect(read).to.deep.equal(["a", "b0", "b1", "b2", "b3", "b4"]);
      },
    },
    {
      title: "gives the same answer however often it is read",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 5);
        const first = await readAll({ store, clock }, tenant);
        for (let again = 0; again < 3; again++)
          expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal(first.commits);
      },
    },
    {
      title: "counts each tenant's order by itself",
      check: async ({ store, tenant, clock, newTenant }) => {
        const other = newTenant();
        await store.open(other);
        for (let version = 0; version < 3; version++) {
          await grow(store, tenant, "a", 1, { version });
          await grow(store, other, "b", 1, { version });
        }
        expect((await readAll({ store, clock }, tenant)).commits.map(({ id }) => id)).to.deep.equal(["a", "a", "a"]);
        expect((await readAll({ store, clock }, other)).commits.map(({ id }) => id)).to.deep.equal(["b", "b", "b"]);
      },
    },
  ],
};
