import { expect } from "chai";
import { Err, StreamReader } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import type { Facet } from "./clause.ts";
import { listAll } from "./reading.ts";
import { Bookkeeper2, deposit, expected, readerOn, seen } from "./rebuilt-bookings.ts";
import { Bookkeeper, tellerOf, walletsOn } from "./wallet.ts";

/** What the engine promises of projections that an operator rewinds, on every store. */
export const engineRewinds: Facet = {
  name: "rewinds",
  clauses: [
    {
      title: "delete views apart from those that another projection made in the same poll",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const handler = walletsOn(ground);
        const ids = Array.from({ length: 50 }, (_, n) => `w${n}`);
        const depositOnAll = () =>
          Promise.all(ids.map((aggregateId) => handler.command(tellerOf(tenant), "Deposit", { aggregateId, amount: 1 })));
        const projections = [new Bookkeeper(), new Bookkeeper("payers", "Payers")] as const;
        const reader = new StreamReader(store, { platform: clock });
        await depositOnAll();
        await pollUntilIdle(reader, tenant, "main", projections);
        await depositOnAll();
        await reader.rewind(tenant, "main", projections[1]);
        await pollUntilIdle(reader, tenant, "main", projections);
        for (const { collection } of projections) {
          const views = await listAll(store, tenant, collection);
          expect(views.length, collection).to.equal(50);
          for (const { value } of views) expect(value, collection).to.deep.equal({ balance: 2, payments: 2 });
        }
      },
    },
    {
      title: "are refused where they could overwrite a dead letter of the generation to roll back to",
      check: async (ground) => {
        const { tenant } = ground;
        const reader = readerOn(ground);
        const [old, next] = [new Bookkeeper2(0), new Bookkeeper2()];
        const park = async (projection: Bookkeeper2) => {
          for (let polls = 0; polls < 50; polls++)
            if ((await reader.poll(tenant, "main", [projection], { onError: "park" })).status === "idle") return;
        };
        old.refused = 2;
        await deposit(ground, 6);
        await park(old);
        await reader.rebuild(tenant, "main", next);
        next.refused = 2;
        const error = await rejects(Err, reader.rewind(tenant, "main", next));
        expect(error.code).to.equal("precondition");
        expect(error.message).to.include("discard");
        // Nothing is lost: rolled back, the event is still there to be tried again.
        await reader.rollback(tenant, "main", old);
        old.refused = undefined;
        expect(await reader.retryParked(tenant, "main", old)).to.include({ retried: 1 });
        expect(await seen(ground)).to.deep.equal(expected(6, 1));
        // Without an earlier generation there is nothing to lose.
        await reader.discard(tenant, "main", old);
        old.refused = 2;
        await reader.rewind(tenant, "main", old);
        await park(old);
        expect((await reader.parked(tenant, "main")).parked).to.have.length(1);
      },
    },
  ],
};
