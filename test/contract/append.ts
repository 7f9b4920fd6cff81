import { expect } from "chai";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Clause, Facet } from "./clause.ts";
import { eventOf, pending, receiptOf, TYPE } from "./pending.ts";
import { historyOf, readAll, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

/** How many aggregates a commit has in the clauses about its atomicity. */
const SEVERAL = ["a", "b", "c"] as const;

/** One clause for each place that the conflict may have in a commit on several aggregates. */
const conflictPlaces: readonly Clause[] = SEVERAL.map((taken, place) => ({
  title: `writes none of a commit's aggregates when the one at place ${place} conflicts`,
  check: async ({ store, tenant }) => {
    await grow(store, tenant, taken, 1);
    const outcome = await send(store, tenant, pending(SEVERAL.map((id) => ({ id, version: 0 }))));
    expect(expectStatus(outcome, "conflict")).to.include({ type: TYPE, id: taken, actual: 0 });
    for (const id of SEVERAL) expect(await versionOf(store, tenant, id)).to.equal(id === taken ? 0 : -1);
  },
}));

/** One clause for each place that the conflict may have in a group of commits. */
const conflictNeighbours: readonly Clause[] = SEVERAL.map((taken, place) => ({
  title: `commits the neighbours of a conflict at place ${place} of a group`,
  check: async ({ store, tenant }) => {
    await grow(store, tenant, taken, 1);
    const outcomes = await store.commit(
      tenant,
      SEVERAL.map((id) => pending({ id, version: 0, payload: { second: true } })),
    );
    expect(outcomes.map(({ status }) => status)).to.deep.equal(SEVERAL.map((id) => (id === taken ? "conflict" : "committed")));
    for (const id of SEVERAL) {
      const history = await historyOf(store, tenant, id);
      expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal(id === taken ? [{ n: 0 }] : [{ second: true }]);
    }
  },
}));

/** What a store promises of `commit` and of the history of one aggregate. */
export const append: Facet = {
  name: "append",
  clauses: [
    {
      title: "knows nothing of an aggregate that has no commit",
      check: async ({ store, tenant }) => {
        const { snapshot, commits: history } = await store.load({ tenant, type: TYPE, id: "nobody" });
        expect({ snapshot, history }).to.deep.equal({ snapshot: undefined, history: [] });
      },
    },
    {
      title: "loads each commit at once after it is acknowledged, at the next version",
      check: async ({ store, tenant }) => {
        for (let version = 0; version < 10; version++) {
          await grow(store, tenant, "a", 1, { version });
          expect(await versionOf(store, tenant, "a")).to.equal(version);
        }
      },
    },
    {
      title: "gives back every fact of a commit, and no other",
      check: async ({ store, tenant }) => {
        const facts = {
          correlationId: "c-1",
          causationId: "c-0",
          at: 1_234_567,
          command: "Deposit",
          receipt: receiptOf("k-1", "a", 0),
        };
        const events = [eventOf({ sum: 1 }, "Opened"), eventOf({ sum: 2 }, "Deposited", 3)];
        const { commitId } = await commits(store, tenant, pending({ id: "a", version: 0, events }, facts));
        const actor = { id: "ada", name: "Ada Lovelace" };
        const expected = { tenant, type: TYPE, id: "a", version: 0, commitId, events, actor, ...facts };
        expect(await historyOf(store, tenant, "a")).to.deep.equal([expected]);
      },
    },
    {
      title: "leaves absent facts absent",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        const [commit] = await historyOf(store, tenant, "a");
        for (const fact of ["correlationId", "causationId", "receipt", "redactedAt"]) expect(commit).not.to.have.property(fact);
      },
    },
    {
      title: "keeps the events of a commit in order",
      check: async ({ store, tenant }) => {
        const names = ["Zulu", "Alpha", "Mike", "Alpha"];
        const events = names.map((name, index) => eventOf({ index }, name));
        await commits(store, tenant, pending({ id: "a", version: 0, events }));
        expect((await historyOf(store, tenant, "a"))[0]!.events).to.deep.equal(events);
      },
    },
    {
      title: "refuses a version that is taken, tells the actual one and writes nothing",
      check: async ({ store, tenant, clock }) => {
        await grow(store, tenant, "a", 3);
        const late = pending(
          { id: "a", version: 1, snapshot: { schema: 0, state: { late: true } } },
          { receipt: receiptOf("k", "a", 1) },
        );
        const outcome = expectStatus(await send(store, tenant, late), "conflict");
        expect(outcome).to.include({ type: TYPE, id: "a", actual: 2 });
        expect((await historyOf(store, tenant, "a")).map(({ events }) => events[0]!.payload)).to.deep.equal([
          { n: 0 },
          { n: 1 },
          { n: 2 },
        ]);
        expect(await store.receipt(tenant, "k")).to.equal(undefined);
        expect((await store.load({ tenant, type: TYPE, id: "a" })).snapshot).to.equal(undefined);
        expect((await readAll({ store, clock }, tenant)).commits.length).to.equal(3);
      },
    },
    {
      title: "refuses the same events under another commitId as the conflict that they are",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 1);
        expectStatus(await send(store, tenant, pending({ id: "a", version: 0, payload: { n: 0 } })), "conflict");
      },
    },
    {
      title: "lets one of eight contenders for a version through",
      check: async ({ store, tenant }) => {
        const contenders = Array.from({ length: 8 }, (_, n) => pending({ id: "a", version: 0, payload: { n } }));
        const outcomes = await Promise.all(contenders.map((contender) => send(store, tenant, contender)));
        const winners = contenders.filter((_, index) => outcomes[index]!.status === "committed");
        expect(winners.length).to.equal(1);
        for (const outcome of outcomes.filter(({ status }) => status !== "committed"))
          expect(expectStatus(outcome, "conflict").actual).to.equal(0);
        expect((await historyOf(store, tenant, "a")).map(({ commitId }) => commitId)).to.deep.equal([winners[0]!.commitId]);
      },
    },
    {
      title: "writes a commit on several aggregates to each of them, under one commitId",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "b", 2);
        const commit = await commits(
          store,
          tenant,
          pending([
            { id: "a", version: 0 },
            { id: "b", version: 2 },
            { id: "a", type: "ledger", version: 0 },
          ]),
        );
        expect((await historyOf(store, tenant, "a")).at(-1)!.commitId).to.equal(commit.commitId);
        expect((await historyOf(store, tenant, "b")).at(-1)!.commitId).to.equal(commit.commitId);
        expect((await historyOf(store, tenant, "a", "ledger")).at(-1)!.commitId).to.equal(commit.commitId);
      },
    },
    ...conflictPlaces,
    ...conflictNeighbours,
    {
      title: "lets one of two crossing commits on the same aggregates through, never half of each",
      check: async ({ store, tenant }) => {
        const forth = pending(["a", "b"].map((id) => ({ id, version: 0 })));
        const back = pending(["b", "a"].map((id) => ({ id, version: 0 })));
        const outcomes = await Promise.all([send(store, tenant, forth), send(store, tenant, back)]);
        expect(outcomes.filter(({ status }) => status === "committed").length).to.be.at.most(1);
        const winner = outcomes[0]!.status === "committed" ? forth : back;
        const expected = outcomes.some(({ status }) => status === "committed") ? [winner.commitId] : [];
        for (const id of ["a", "b"])
          expect((await historyOf(store, tenant, id)).map(({ commitId }) => commitId)).to.deep.equal(expected);
      },
    },
    {
      title: "tells the outcomes of a group in the order of its members",
      check: async ({ store, tenant }) => {
        const taken = [1, 4, 5];
        for (const id of taken) await grow(store, tenant, `a${id}`, 1);
        const outcomes = await store.commit(
          tenant,
          Array.from({ length: 7 }, (_, id) => pending({ id: `a${id}`, version: 0 })),
        );
        const conflicts = outcomes.flatMap((outcome, index) =>
          outcome.status === "conflict" ? [{ index, id: outcome.id }] : [],
        );
        expect(conflicts).to.deep.equal(taken.map((index) => ({ index, id: `a${index}` })));
      },
    },
    {
      title: "keeps aggregates of different types with the same id apart",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 3);
        await grow(store, tenant, "a", 1, { type: "loan", payload: { loan: true } });
        expect(await versionOf(store, tenant, "a")).to.equal(2);
        expect((await historyOf(store, tenant, "a", "loan")).map(({ events }) => events[0]!.payload)).to.deep.equal([
          { loan: true },
        ]);
      },
    },
    {
      title: "returns frozen commits",
      check: async ({ store, tenant, clock }) => {
        await commits(store, tenant, pending({ id: "a", version: 0, payload: { list: [{ deep: 1 }] } }));
        expect((await historyOf(store, tenant, "a")).every(isDeepFrozen), "loaded").to.equal(true);
        expect((await readAll({ store, clock }, tenant)).commits.every(isDeepFrozen), "read").to.equal(true);
      },
    },
  ],
};
