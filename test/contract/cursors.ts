import { expect } from "chai";
import { type Cursor, type CursorUpdate, Err } from "../../core/index.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet } from "./clause.ts";
import { parkedAll, viewOf } from "./reading.ts";
import { cursorsOf, hold, isRefused, LEASED_UNTIL, moves, project } from "./writing.ts";

const FAILURE = { position: 6, index: 2, attempts: 3, retryAt: 1_700_000_000_000, halted: true, error: "no account “ä” 💥" };

/** What the update that moves a cursor back holds beside it; none of it may be written. */
const BESIDE: Readonly<Record<string, Partial<CursorUpdate>>> = {
  "a view": { views: [{ collection: "balances", id: "a", value: { sum: 2 } }] },
  "a deleted view": { views: [{ collection: "balances", id: "a" }] },
  "a claim": { claims: [{ collection: "other", handler: "I" }] },
  "a parked event": { park: [{ handler: "H", position: 1, index: 0, event: "E", attempts: 1, error: "no", parkedAt: 1 }] },
  "another handler's step forward": { cursors: { H: { position: 4, collection: "balances" }, I: { position: 9 } } },
  "a waiting place and the lease's end": { waiting: { position: 7, since: 1 }, leasedUntil: 0 },
};

/** One clause for each thing beside a cursor that would move back. */
const backwards: readonly Clause[] = Object.entries(BESIDE).map(([what, beside]) => ({
  title: `refuses to move a cursor back, and with it ${what}`,
  check: async ({ store, tenant }) => {
    const lease = await project(store, tenant, "balances", { a: { sum: 1 } }, { thread: "main", handler: "H" });
    await moves(store, lease, { cursors: { H: { position: 5, collection: "balances" }, I: { position: 2 } } });
    const { thread: before } = await store.peek(tenant, "main");
    await isRefused(store, lease, { cursors: { H: { position: 4, collection: "balances" } }, ...beside });
    expect((await store.peek(tenant, "main")).thread).to.deep.equal(before);
    expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ sum: 1 });
    expect(await parkedAll(store, tenant, "main")).to.deep.equal([]);
    await moves(store, lease, {
      claims: [{ collection: "other", handler: "J" }],
      cursors: { J: { position: 0, collection: "other" } },
    });
  },
}));

/** What a store promises of the cursors of a thread. */
export const cursors: Facet = {
  name: "cursors",
  clauses: [
    {
      title: "moves the cursors that are named and leaves the others where they are",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { cursors: { H: { position: 3 }, I: { position: 5 } } });
        await moves(store, lease, { cursors: { I: { position: 6 }, J: { position: 1 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({
          H: { position: 3 },
          I: { position: 6 },
          J: { position: 1 },
        });
      },
    },
    {
      title: "moves no cursor where none is named",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { cursors: { H: { position: 3 } } });
        await moves(store, lease, { cursors: {}, leasedUntil: 0 });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 3 } });
      },
    },
    {
      title: "keeps a failure with all its facts, until the cursor is written without one",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        const failed: Cursor = { position: 5, failure: FAILURE };
        await moves(store, lease, { cursors: { H: failed } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: failed });
        await moves(store, lease, { cursors: { H: { position: 5 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 5 } });
      },
    },
    {
      title: "keeps the mark of a rewind that is deleting views, until the cursor is written without it",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", {}, { thread: "main", handler: "H" });
        const clearing: Cursor = { position: 0, collection: "balances", isClearing: true };
        await moves(store, lease, { cursors: { H: clearing } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: clearing });
        await moves(store, lease, { cursors: { H: { position: 0, collection: "balances" } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 0, collection: "balances" } });
      },
    },
    {
      title: "keeps an error of 1,000 characters",
      check: async ({ store, tenant }) => {
        const failed: Cursor = { position: 5, failure: { ...FAILURE, error: "💥é".repeat(333) } };
        await moves(store, await hold(store, tenant, "main"), { cursors: { H: failed } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: failed });
      },
    },
    {
      title: "replaces the waiting place with each write, and drops it where none is given",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        for (const position of [4, 9]) {
          await moves(store, lease, { waiting: { position, since: 1_700_000_000_000 } });
          expect((await store.peek(tenant, "main")).thread.waiting).to.deep.equal({ position, since: 1_700_000_000_000 });
        }
        await moves(store, lease, {});
        expect((await store.peek(tenant, "main")).thread).not.to.have.property("waiting");
      },
    },
    {
      title: "takes the same write twice, as after an unknown outcome",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        const update: CursorUpdate = {
          cursors: { H: { position: 5, collection: "balances" } },
          claims: [{ collection: "balances", handler: "H" }],
          views: [
            { collection: "balances", id: "a", value: { sum: 1 } },
            { collection: "balances", id: "b" },
          ],
          park: [{ handler: "H", position: 5, index: 0, event: "E", attempts: 1, error: "no", parkedAt: 1 }],
          unpark: [{ handler: "H", position: 4, index: 0 }],
          leasedUntil: LEASED_UNTIL,
        };
        for (let times = 0; times < 3; times++) await moves(store, lease, update);
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal(update.cursors);
        expect(await viewOf(store, tenant, "balances", "a")).to.deep.equal({ sum: 1 });
        expect(await parkedAll(store, tenant, "main")).to.deep.equal(update.park);
      },
    },
    ...backwards,
    {
      title: "moves the cursor of a rewound handler back, and forward again",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { cursors: { H: { position: 9 } } });
        for (const position of [4, 0]) {
          await moves(store, lease, { cursors: { H: { position } }, rewound: ["H"] });
          expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position } });
        }
        await moves(store, lease, { cursors: { H: { position: 9 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 9 } });
      },
    },
    {
      title: "moves back only the handler that is rewound",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "main");
        await moves(store, lease, { cursors: { H: { position: 9 }, I: { position: 9 } } });
        await isRefused(store, lease, { cursors: { H: { position: 0 }, I: { position: 8 } }, rewound: ["H"] });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 9 }, I: { position: 9 } });
      },
    },
    {
      title: "still refuses to move a cursor back in later leases",
      check: async ({ store, tenant }) => {
        await moves(store, await hold(store, tenant, "main"), { cursors: { H: { position: 9 } } });
        const lease = await hold(store, tenant, "main");
        const error = await rejects(Err, store.commitCursors(lease, { cursors: { H: { position: 8 } }, leasedUntil: 0 }));
        expect(error.code).to.equal("invalid_argument");
        expect((await store.peek(tenant, "main")).thread).to.deep.include({
          leasedUntil: LEASED_UNTIL,
          cursors: { H: { position: 9 } },
        });
      },
    },
    {
      title: "keeps the cursors of the same handler in two threads apart",
      check: async ({ store, tenant }) => {
        const [main, side] = [await hold(store, tenant, "main"), await hold(store, tenant, "side")];
        await moves(store, main, { cursors: { H: { position: 9 } } });
        await moves(store, side, { cursors: { H: { position: 2 } } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: { position: 9 } });
        expect(await cursorsOf(store, tenant, "side")).to.deep.equal({ H: { position: 2 } });
      },
    },
    {
      title: "keeps the cursors of a hundred handlers in one thread",
      check: async ({ store, tenant }) => {
        const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`Handler-${n}`, { position: n }]));
        await moves(store, await hold(store, tenant, "main"), { cursors: many });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal(many);
      },
    },
    {
      title: "keeps positions up to the largest safe integer exact",
      check: async ({ store, tenant }) => {
        const far = { H: { position: Number.MAX_SAFE_INTEGER } };
        await moves(store, await hold(store, tenant, "main"), { cursors: far });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal(far);
      },
    },
  ],
};
