import { expect } from "chai";
import type { JsonObject, StoredEvent } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet } from "./clause.ts";
import { eventOf, pending, receiptOf, TYPE } from "./pending.ts";
import { exportAll, historyOf, readAll, stream, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

const AT = 1_700_000_000_123;

function blacken({ payload }: StoredEvent): JsonObject {
  return { ...payload, name: "redacted" };
}

/** What a store promises of rewriting one aggregate's payloads. */
export const redaction: Facet = {
  name: "redaction",
  clauses: [
    {
      title: "rewrites the payloads of every event and keeps all else, in load and in the order",
      check: async ({ store, tenant, clock }) => {
        const events = [eventOf({ n: 1, name: "Ada" }, "Opened", 2), eventOf({ n: 2, name: "Ada" }, "Renamed")];
        for (let version = 0; version < 3; version++)
          await commits(store, tenant, pending({ id: "a", version, events }, { correlationId: "c" }));
        const before = (await readAll({ store, clock }, tenant)).commits;
        expect(await store.redact({ tenant, type: TYPE, id: "a" }, blacken, AT)).to.equal(3);
        const blackened = events.map((event) => ({ ...event, payload: blacken(event) }));
        const expected = before.map((commit) => ({ ...commit, events: blackened, redactedAt: AT }));
        expect((await readAll({ store, clock }, tenant)).commits).to.deep.equal(expected);
        expect(await historyOf(store, tenant, "a")).to.deep.equal(expected.map(({ position: _, ...commit }) => commit));
      },
    },
    {
      title: "drops the snapshot, so that loading folds redacted events",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 4, { snapshots: true });
        await store.redact({ tenant, type: TYPE, id: "a" }, () => ({ redacted: true }), AT);
        const { snapshot, commits: history } = await store.load({ tenant, type: TYPE, id: "a" });
        expect(snapshot).to.equal(undefined);
        expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal([0, 1, 2, 3].map(() => ({ redacted: true })));
      },
    },
    {
      title: "lets no resend bring the old payloads or snapshot back",
      check: async ({ store, tenant }) => {
        const grown = await grow(store, tenant, "a", 3, { snapshots: true });
        await store.redact({ tenant, type: TYPE, id: "a" }, () => ({ redacted: true }), AT);
        for (const commit of grown) expectStatus(await send(store, tenant, commit), "committed");
        const { snapshot, commits: history } = await store.load({ tenant, type: TYPE, id: "a" });
        expect(snapshot).to.equal(undefined);
        expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal([0, 1, 2].map(() => ({ redacted: true })));
      },
    },
    {
      title: "leaves the other aggregates alone, also those of the same commit, type or id",
      check: async ({ store, tenant }) => {
        const writes = [
          { id: "a", version: 0 },
          { id: "b", version: 0 },
          { id: "a", type: "loan", version: 0 },
        ].map((write) => ({ ...write, payload: { name: "Ada" } }));
        await commits(store, tenant, pending(writes));
        await store.redact({ tenant, type: TYPE, id: "a" }, blacken, AT);
        for (const [id, type] of [
          ["b", TYPE],
          ["a", "loan"],
        ] as const) {
          const [commit] = await historyOf(store, tenant, id, type);
          expect(commit!.events[0]!.payload).to.deep.equal({ name: "Ada" });
          expect(commit).not.to.have.property("redactedAt");
        }
      },
    },
    {
      title: "keeps receipts, and the commandId used",
      check: async ({ store, tenant }) => {
        await commits(store, tenant, pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
        await store.redact({ tenant, type: TYPE, id: "a" }, blacken, AT);
        expect(await store.receipt(tenant, "k")).to.deep.equal(receiptOf("k", "a", 0));
        expect((await historyOf(store, tenant, "a"))[0]!.receipt).to.deep.equal(receiptOf("k", "a", 0));
        expectStatus(
          await send(store, tenant, pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0) })),
          "repeated",
        );
      },
    },
    {
      title: "lets the aggregate go on at its next version, with unmarked commits",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 2);
        await store.redact({ tenant, type: TYPE, id: "a" }, blacken, AT);
        expectStatus(await send(store, tenant, pending({ id: "a", version: 1 })), "conflict");
        await grow(store, tenant, "a", 1, { version: 2, snapshots: true });
        const history = await historyOf(store, tenant, "a");
        expect(history.map(({ redactedAt }) => redactedAt)).to.deep.equal([AT, AT, undefined]);
        expect(await versionOf(store, tenant, "a")).to.equal(2);
      },
    },
    {
      title: "is finished by a second call when the first broke off",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 5);
        let calls = 0;
        const breaking = () => {
          calls += 1;
          if (calls === 3) throw new Error("the machine died");
          return { redacted: true };
        };
        await rejects(Error, store.redact({ tenant, type: TYPE, id: "a" }, breaking, AT));
        expect(await store.redact({ tenant, type: TYPE, id: "a" }, () => ({ redacted: true }), AT + 1)).to.equal(5);
        const history = await historyOf(store, tenant, "a");
        expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal(
          Array.from({ length: 5 }, () => ({ redacted: true })),
        );
        for (const { redactedAt } of history) expect(redactedAt).to.be.oneOf([AT, AT + 1]);
      },
    },
    {
      title: "redacts again, and marks with the later time",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 2);
        await store.redact({ tenant, type: TYPE, id: "a" }, () => ({ first: true }), AT);
        expect(
          await store.redact({ tenant, type: TYPE, id: "a" }, ({ payload }) => ({ ...payload, second: true }), AT + 1),
        ).to.equal(2);
        const history = await historyOf(store, tenant, "a");
        expect(history.map(({ events, redactedAt }) => [events[0]!.payload, redactedAt])).to.deep.equal(
          [0, 1].map(() => [{ first: true, second: true }, AT + 1]),
        );
      },
    },
    {
      title: "keeps what each of two redacted that came at once",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 20, { payload: { name: "Ada", mail: "ada@example.org" } });
        const redact = (field: string) =>
          store.redact({ tenant, type: TYPE, id: "a" }, ({ payload }) => ({ ...payload, [field]: "" }), AT);
        expect(await Promise.all([redact("name"), redact("mail")])).to.deep.equal([20, 20]);
        const history = await historyOf(store, tenant, "a");
        expect(history.map(({ events }) => events[0]!.payload)).to.deep.equal(
          Array.from({ length: 20 }, () => ({ name: "", mail: "" })),
        );
      },
    },
    {
      title:
        "takes a commit without events, which the engine writes after a redaction, and gives it back wherever commits are read",
      check: async ({ store, tenant, clock, newTenant }) => {
        await grow(store, tenant, "a", 2);
        const note = pending(
          { id: "a", version: 2, events: [], snapshot: { schema: 0, state: { at: 2 } } },
          { command: "redact" },
        );
        await commits(store, tenant, note);
        expectStatus(await send(store, tenant, note), "committed");
        expectStatus(await send(store, tenant, pending({ id: "a", version: 2 })), "conflict");
        expect((await historyOf(store, tenant, "a")).at(-1)).to.deep.include({ version: 2, command: "redact", events: [] });
        expect((await store.load({ tenant, type: TYPE, id: "a" })).snapshot?.version).to.equal(2);
        const copy = newTenant();
        await store.import(copy, stream(await exportAll(store, tenant)));
        for (const name of [tenant, copy])
          expect((await readAll({ store, clock }, name)).commits.map(({ events }) => events.length)).to.deep.equal([1, 1, 0]);
        expect(await store.redact({ tenant, type: TYPE, id: "a" }, blacken, AT)).to.equal(3);
      },
    },
    {
      title: "has nothing to redact where there is no aggregate",
      check: async ({ store, tenant }) => {
        const address = { tenant, type: TYPE, id: "nobody" };
        expect(await store.redact(address, blacken, AT)).to.equal(0);
        expect((await store.load(address)).commits).to.deep.equal([]);
        await grow(store, tenant, "nobody", 1);
      },
    },
    {
      title: "redacts an aggregate of hundreds of commits whole",
      unopened: true,
      check: async ({ store, tenant, clock, newTenant }) => {
        const source = newTenant();
        await store.open(source);
        await grow(store, source, "a", 1);
        const [header, first, end] = await exportAll(store, source);
        if (first?.kind !== "commit" || end?.kind !== "end") throw new Error("the export of one commit is header, commit, end");
        const many = Array.from({ length: 300 }, (_, version) => ({
          ...first,
          position: version + 1,
          commit: { ...first.commit, version },
        }));
        await store.import(tenant, stream([header!, ...many, { ...end, commits: 300 }]));
        expect(await store.redact({ tenant, type: TYPE, id: "a" }, () => ({ redacted: true }), AT)).to.equal(300);
        const read = (await readAll({ store, clock }, tenant)).commits;
        expect(read.map(({ events }) => events[0]!.payload)).to.deep.equal(
          Array.from({ length: 300 }, () => ({ redacted: true })),
        );
      },
    },
  ],
};
