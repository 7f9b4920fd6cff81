import { expect } from "chai";
import { StreamReader } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import type { Facet } from "./clause.ts";
import { listAll } from "./reading.ts";
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
  ],
};
