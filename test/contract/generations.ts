import { expect } from "chai";
import type { Cursor, ParkedEvent } from "../../core/index.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Facet } from "./clause.ts";
import { exportAll, listAll, parkedAll } from "./reading.ts";
import { cursorsOf, hold, moves, project, viewWrites } from "./writing.ts";

/** A cursor after a switch to another generation, with all that it may hold. */
const SWITCHED: Cursor = {
  position: 9,
  collection: "balances",
  version: 3,
  generation: 1,
  isParking: true,
  retired: {
    position: 7,
    version: 2,
    failure: { position: 8, index: 2, attempts: 3, retryAt: 1_700_000_000_000, halted: true, error: "no" },
  },
};

/** What a store promises of the generations of a collection: places whose names hold a `~`, which is in no collection's own name. */
export const generations: Facet = {
  name: "generations of views",
  clauses: [
    {
      title: "keeps every fact of a cursor that was switched to another generation, frozen",
      check: async ({ store, tenant }) => {
        const lease = await project(store, tenant, "balances", {}, { thread: "main", handler: "H" });
        await moves(store, lease, { cursors: { H: SWITCHED } });
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: SWITCHED });
        expect(isDeepFrozen((await cursorsOf(store, tenant, "main")).H)).to.equal(true);
      },
    },
    {
      title: "keeps the views of each generation, and the pointer to the live one, apart",
      check: async ({ store, tenant }) => {
        const places = ["balances", "balances~1", "balances~live"];
        const lease = await project(store, tenant, "balances", {});
        await moves(store, lease, {
          claims: places.map((collection) => ({ collection, handler: "Balances" })),
          views: places.flatMap((place) => viewWrites(place, { live: { in: place } })),
        });
        for (const place of places)
          expect(await listAll(store, tenant, place)).to.deep.equal([{ id: "live", value: { in: place } }]);
        await moves(store, lease, { views: viewWrites("balances~1", { live: undefined }) });
        expect(await listAll(store, tenant, "balances~1")).to.deep.equal([]);
        expect((await listAll(store, tenant, "balances")).length).to.equal(1);
      },
    },
    {
      title: "switches a pointer and a cursor in one write, or neither",
      check: async ({ store, tenant }) => {
        const stale = await project(store, tenant, "balances", {}, { thread: "main", handler: "H" });
        await hold(store, tenant, "main");
        const update = {
          cursors: { H: SWITCHED },
          views: viewWrites("balances~live", { live: { collection: "balances~1" } }),
          leasedUntil: 0,
        };
        expect(await store.commitCursors(stale, update)).to.deep.equal({ status: "fenced" });
        expect(await listAll(store, tenant, "balances~live")).to.deep.equal([]);
        await moves(store, await hold(store, tenant, "main"), update);
        expect(await cursorsOf(store, tenant, "main")).to.deep.equal({ H: SWITCHED });
        expect(await listAll(store, tenant, "balances~live")).to.deep.equal([
          { id: "live", value: { collection: "balances~1" } },
        ]);
      },
    },
    {
      title: "has the thread of a rebuild beside the others, and leaves it out of an export",
      check: async ({ store, tenant }) => {
        const lease = await hold(store, tenant, "balances~rebuild");
        await moves(store, lease, { cursors: { H: { position: 0, generation: 1, version: 2, isClearing: true } } });
        await moves(store, await hold(store, tenant, "balances"), { cursors: { I: { position: 0 } } });
        expect(Object.keys(await cursorsOf(store, tenant, "balances~rebuild"))).to.deep.equal(["H"]);
        const threads = (await exportAll(store, tenant)).flatMap((record) => (record.kind === "thread" ? [record.thread] : []));
        expect(threads).to.deep.equal(["balances"]);
      },
    },
    {
      title: "keeps every fact of an event that one generation lacks, and of one that was passed over",
      check: async ({ store, tenant }) => {
        const parked: ParkedEvent = {
          handler: "H",
          position: 7,
          index: 0,
          event: "Changed",
          attempts: 3,
          error: "no such account",
          parkedAt: 1_700_000_000_000,
          aggregate: { type: "account", id: "a/b~“ä”💥" },
          stack: `Error: no such account\n${"    at somewhere\n".repeat(200)}`,
          reason: "it was a test",
          generation: 1,
        };
        await moves(store, await hold(store, tenant, "main"), { park: [parked] });
        const [kept] = await parkedAll(store, tenant, "main");
        expect(kept).to.deep.equal(parked);
        expect(isDeepFrozen(kept)).to.equal(true);
      },
    },
  ],
};
