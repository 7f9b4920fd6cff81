import { expect } from "chai";
import type { CursorOutcome, CursorUpdate } from "../../core/index.ts";
import type { Clause, Facet } from "./clause.ts";
import { parkedAll, viewOf } from "./reading.ts";
import { cursorsOf, hold, isFenced, LEASED_UNTIL, moves, project, updateOf } from "./writing.ts";

const OWNED: CursorOutcome = { status: "owned", collection: "balances", thread: "views", handler: "Balances" };

interface Rival {
  readonly title: string;
  readonly thread: string;
  readonly handler: string;
}

const RIVALS: readonly Rival[] = [
  { title: "another handler of the same thread", thread: "views", handler: "Rival" },
  { title: "the same handler in another thread", thread: "other", handler: "Balances" },
  { title: "another handler in another thread", thread: "other", handler: "Rival" },
  { title: "a handler whose name differs in case", thread: "views", handler: "balances" },
  { title: "a thread and handler whose names join to the same text", thread: "view", handler: "sBalances" },
];

/** One clause for each (thread, handler) that is not the owner. */
const rivals: readonly Clause[] = RIVALS.map(({ title, thread, handler }) => ({
  title: `refuses a claimed collection to ${title}, tells the owner and writes nothing`,
  check: async ({ store, tenant }) => {
    await project(store, tenant, "balances", { a: { of: "owner" } });
    const lease = await hold(store, tenant, thread);
    const { thread: before } = await store.peek(tenant, thread);
    const update: CursorUpdate = updateOf({
      cursors: { [handler]: { position: 9, collection: "balances" }, Other: { position: 9 } },
      claims: [
        { collection: "free", handler },
        { collection: "balances", handler },
      ],
      views: [
        { collection: "balances", id: "a", value: { of: "rival" } },
        { collection: "free", id: "a", value: { of: "rival" } },
      ],
      park: [{ handler, position: 1, index: 0, event: "E", attempts: 1, error: "no", parkedAt: 1 }],
      leasedUntil: 0,
    });
    expect(await store.commitCursors(lease, update)).to.deep.equal(OWNED);
    expect((await store.peek(tenant, thread)).thread).to.deep.equal(before);
    expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ of: "owner" });
    expect(await viewOf(store, tenant, "free", "a")).to.equal(undefined);
    expect(await parkedAll(store, tenant, thread)).to.deep.equal([]);
    await project(store, tenant, "free", { a: { of: "third" } }, { thread: "third", handler: "Third" });
  },
}));

/** What a store promises of who may write a collection. */
export const ownership: Facet = {
  name: "ownership of collections",
  clauses: [
    ...rivals,
    {
      title: "lets the owner claim its collection again, in every lease",
      check: async ({ store, tenant }) => {
        for (let n = 1; n <= 3; n++) await project(store, tenant, "balances", { a: { n } });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ n: 3 });
      },
    },
    {
      title: "remembers a claim that came without a view",
      check: async ({ store, tenant }) => {
        await project(store, tenant, "balances", {});
        const lease = await hold(store, tenant, "other");
        const update = updateOf({ claims: [{ collection: "balances", handler: "Rival" }] });
        expect(await store.commitCursors(lease, update)).to.deep.equal(OWNED);
      },
    },
    {
      title: "remembers a claim after all views of the collection are deleted",
      check: async ({ store, tenant }) => {
        const owner = await project(store, tenant, "balances", { a: { n: 1 } });
        await moves(store, owner, { views: [{ collection: "balances", id: "a" }], leasedUntil: 0 });
        const lease = await hold(store, tenant, "other");
        const update = updateOf({ claims: [{ collection: "balances", handler: "Rival" }] });
        expect(await store.commitCursors(lease, update)).to.deep.equal(OWNED);
      },
    },
    {
      title: "shows at the cursor which collection its handler owns",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", {});
        await moves(store, lease, { cursors: { Other: { position: 3 } } });
        expect(await cursorsOf(store, tenant, "views")).to.deep.equal({
          Balances: { position: 0, collection: "balances" },
          Other: { position: 3 },
        });
      },
    },
    {
      title: "gives a collection to one of two threads that claim it at once",
      check: async ({ store, tenant }) => {
        for (let round = 0; round < 4; round++) {
          const collection = `balances-${round}`;
          const leases = await Promise.all(["x", "y"].map((thread) => hold(store, tenant, thread)));
          const outcomes = await Promise.all(
            leases.map((lease) =>
              store.commitCursors(
                lease,
                updateOf({
                  claims: [{ collection, handler: "H" }],
                  views: [{ collection, id: "a", value: { of: lease.thread } }],
                }),
              ),
            ),
          );
          const winner = outcomes.findIndex(({ status }) => status === "committed");
          expect(outcomes.map(({ status }) => status)).to.have.members(["committed", "owned"]);
          expect(await viewOf(store, tenant, collection, "a")).to.deep.equal({ of: leases[winner]!.thread });
        }
      },
    },
    {
      title: "gives the collections of a forgotten handler to whoever claims them next, and knows its cursor no more",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", { a: { n: 1 } });
        await moves(store, lease, { cursors: { Other: { position: 3 } }, claims: [{ collection: "kept", handler: "Other" }] });
        await moves(store, lease, {
          views: [{ collection: "balances", id: "a" }],
          forgotten: [{ handler: "Balances", collections: ["balances"] }],
        });
        expect(await cursorsOf(store, tenant, "views")).to.deep.equal({ Other: { position: 3 } });
        await project(store, tenant, "balances", { a: { of: "heir" } }, { thread: "other", handler: "Heir" });
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ of: "heir" });
        const rival = updateOf({ claims: [{ collection: "kept", handler: "Heir" }] });
        expect(await store.commitCursors(await hold(store, tenant, "third"), rival)).to.include({ status: "owned" });
        // It begins anew like any other.
        await moves(store, lease, { cursors: { Balances: { position: 0 } } });
      },
    },
    {
      title: "forgets nothing by a stale fence",
      check: async ({ store, tenant }) => {
        const stale = await project(store, tenant, "balances", { a: { n: 1 } });
        await hold(store, tenant, "views", LEASED_UNTIL);
        await isFenced(store, stale, { forgotten: [{ handler: "Balances", collections: ["balances"] }] });
        expect(await cursorsOf(store, tenant, "views")).to.have.property("Balances");
        const rival = updateOf({ claims: [{ collection: "balances", handler: "Rival" }] });
        expect(await store.commitCursors(await hold(store, tenant, "other"), rival)).to.deep.equal(OWNED);
      },
    },
    {
      title: "lets nobody claim by a stale fence",
      check: async ({ store, tenant }) => {
        const stale = await hold(store, tenant, "views", LEASED_UNTIL);
        await hold(store, tenant, "views", LEASED_UNTIL);
        await isFenced(store, stale, { claims: [{ collection: "balances", handler: "Stale" }] });
        await project(store, tenant, "balances", { a: { n: 1 } }, { thread: "other" });
      },
    },
  ],
};
