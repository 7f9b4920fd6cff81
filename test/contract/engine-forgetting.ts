import { expect } from "chai";
import { Err, type IEventHandler, StreamReader } from "../../core/index.ts";
import { CrashingStore } from "../support/crashing-store.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Clause, Facet, Ground } from "./clause.ts";
import { listAll, parkedAll } from "./reading.ts";
import { Bookkeeper2, deposit, expected, poll, readerOn, seen } from "./rebuilt-bookings.ts";
import { Bookkeeper, type WalletEvents } from "./wallet.ts";
import { cursorsOf } from "./writing.ts";

/** Everything that a thread may hold of the bookkeeper: cursors, dead letters, the views of both generations, and which is live. */
async function leftOf({ store, tenant }: Ground) {
  const places = ["bookings", "bookings~1", "bookings~live"];
  const views = await Promise.all(places.map((place) => listAll(store, tenant, place)));
  return {
    cursors: Object.keys(await cursorsOf(store, tenant, "main")),
    side: Object.keys(await cursorsOf(store, tenant, "bookings~rebuild")),
    parked: (await parkedAll(store, tenant, "main")).map(({ handler }) => handler),
    views: views.flat().length,
  };
}

const NOTHING = { cursors: [], side: [], parked: [], views: 0 };

/** A bookkeeper with views of two generations, of which the second is live, and one dead letter that an operator passed over. */
async function rebuilt(ground: Ground): Promise<Bookkeeper2> {
  const { tenant } = ground;
  const reader = readerOn(ground);
  const [old, next] = [new Bookkeeper2(0), new Bookkeeper2(1)];
  await deposit(ground, 6);
  await poll(ground, old);
  await reader.rebuild(tenant, "main", next);
  next.refused = 8;
  await deposit(ground, 3, 6);
  await pollUntilIdle(reader, tenant, "main", [next], { onError: "park" });
  const [parked] = (await reader.parked(tenant, "main")).parked;
  await reader.skipParked(tenant, "main", parked!, "it is passed over");
  next.refused = undefined;
  return next;
}

/** At each of an operator's writes his process may die, before every other one and after those between: the next call finishes what it began. */
const crashes: readonly Clause[] = (["before", "after"] as const).map((when, first) => ({
  title: `is finished by a second call when the first died ${when} one of its writes`,
  check: async (ground) => {
    const { tenant, clock } = ground;
    const crashing = new CrashingStore(ground.store);
    const reader = new StreamReader(crashing, {
      platform: { ...clock, now: () => clock.now(), sleep: async (ms) => clock.turn(ms) },
    });
    for (let death: number = first, hasDied = true; hasDied; death += 2) {
      hasDied = false;
      await rebuilt(ground);
      let writes = 0;
      crashing.crash = () => {
        hasDied ||= writes === death;
        return writes++ >= death ? when : undefined;
      };
      const died = await reader.forget(tenant, "main", "Bookkeeper").then(
        () => false,
        () => true,
      );
      crashing.crash = () => undefined;
      clock.turn(61_000);
      // It died after the last write: nothing was left to be done.
      if (died && (await cursorsOf(ground.store, tenant, "main")).Bookkeeper !== undefined)
        await reader.forget(tenant, "main", "Bookkeeper");
      const { side: _, ...left } = await leftOf(ground);
      expect(left, `after write ${death}`).to.deep.equal({ cursors: [], parked: [], views: 0 });
    }
  },
}));

/** What the engine promises of handlers that an operator makes a thread forget, on every store. */
export const engineForgetting: Facet = {
  name: "forgetting handlers",
  clauses: [
    {
      title: "leaves nothing of a projection, whichever generation is live, and its collection to whoever comes",
      check: async (ground) => {
        const { tenant } = ground;
        await rebuilt(ground);
        expect(await leftOf(ground)).to.include({ views: 5 });
        await readerOn(ground).forget(tenant, "main", "Bookkeeper");
        expect(await leftOf(ground)).to.deep.equal(NOTHING);
        expect(await seen(ground)).to.deep.equal({});
        const heir = new Bookkeeper("bookings", "Heir");
        await pollUntilIdle(readerOn(ground), tenant, "other", [heir]);
        expect(await seen(ground)).to.deep.equal(expected(9, 0));
      },
    },
    {
      title: "is no lag, and nothing to wait for, any more",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        const renamed: IEventHandler<WalletEvents> = { name: "Renamed", events: {} };
        await deposit(ground, 2);
        await poll(ground, { ...renamed, name: "Named" });
        await deposit(ground, 2, 2);
        await poll(ground, renamed);
        expect(Object.keys(await reader.lag(tenant, "main"))).to.have.members(["Named", "Renamed"]);
        const { head } = await ground.store.peek(tenant, "main");
        expect(await reader.waitFor(tenant, "main", head, { timeout: 0 })).to.equal(false);
        await reader.forget(tenant, "main", "Named");
        expect(Object.keys(await reader.lag(tenant, "main"))).to.deep.equal(["Renamed"]);
        expect(await reader.waitFor(tenant, "main", head, { timeout: 0 })).to.equal(true);
      },
    },
    {
      title: "fences out a reader that is at work on it, which then brings nothing back",
      check: async (ground) => {
        const { store, tenant, clock } = ground;
        await deposit(ground, 3);
        await poll(ground, new Bookkeeper());
        await deposit(ground, 3, 3);
        let forgetting: Promise<void> | undefined;
        const slow = intercepted(store, {
          commitCursors: async (lease, update) => {
            // Its lease has ended meanwhile, and the operator came.
            if (forgetting === undefined && update.views?.length) {
              clock.turn(61_000);
              forgetting = readerOn(ground).forget(tenant, "main", "Bookkeeper");
              await forgetting;
            }
            return store.commitCursors(lease, update);
          },
        });
        const reader = new StreamReader(slow, { platform: clock });
        let status = "";
        while (forgetting === undefined) {
          ({ status } = await reader.poll(tenant, "main", [new Bookkeeper()]));
          if (status === "waiting") clock.turn(15_000);
        }
        expect(status).to.equal("leased");
        expect(await leftOf(ground)).to.deep.equal(NOTHING);
      },
    },
    {
      title: "begins anew where somebody still polls it",
      check: async (ground) => {
        const next = await rebuilt(ground);
        await readerOn(ground).forget(ground.tenant, "main", "Bookkeeper");
        await poll(ground, next);
        expect(await seen(ground)).to.deep.equal(expected(9, 1));
        await readerOn(ground).rebuild(ground.tenant, "main", new Bookkeeper2(2));
        expect(await seen(ground)).to.deep.equal(expected(9, 1));
      },
    },
    {
      title: "leaves the thread's other handlers as they are, and says which it does not know",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        await deposit(ground, 3);
        const payers = new Bookkeeper("payers", "Payers");
        await pollUntilIdle(reader, tenant, "main", [new Bookkeeper(), payers]);
        const before = (await cursorsOf(ground.store, tenant, "main")).Payers;
        await reader.forget(tenant, "main", "Bookkeeper");
        expect(await cursorsOf(ground.store, tenant, "main")).to.deep.equal({ Payers: before });
        expect((await listAll(ground.store, tenant, "payers")).length).to.equal(3);
        const error = await rejects(Err, reader.forget(tenant, "main", "Bookkeeper"));
        expect([error.code, error.message]).to.deep.equal([
          "not_found",
          "handler Bookkeeper on thread main was not found: check its name",
        ]);
      },
    },
    ...crashes,
  ],
};
