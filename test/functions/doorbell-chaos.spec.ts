import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { doorbell } from "../../functions/doorbell.ts";
import { sweeper } from "../../functions/sweep.ts";
import { recorded } from "../support/functions-recorder.ts";
import { seededRandom } from "../support/seeded-random.ts";

const SEED = Number(process.env.EVENANT_SEED ?? Date.now() % 1_000_000);
const RUNS = Number(process.env.EVENANT_DOORBELL_RUNS ?? 3);
const TENANTS = ["acme", "acme-2", "twin"];
const FORGED = ["nobody", "..", "acme/log/open", "__proto__", ""];
const COMMANDS = 40;
const INSTANCES = 3;

describe(`Doorbells of several instances, seed ${SEED}`, function () {
  this.timeout(30_000 * RUNS);

  for (let run = 0; run < RUNS; run++) {
    it(`change nothing but latency when they are lost, doubled, delayed, reordered and forged (${run + 1} of ${RUNS})`, async () => {
      const random = seededRandom(SEED + run);
      const { store, service, seen, add } = recorded(["main", "mail"], () => (random.chance(0.1) ? sleep(2) : undefined));
      const instances = Array.from({ length: INSTANCES }, () => doorbell({ store, service }));
      const rings: Promise<unknown>[] = [];
      const ring = async (tenant: string) => {
        await sleep(random.next() * 60);
        const budget = random.chance(0.2) ? 10 : 5_000;
        return instances[random.below(INSTANCES)]?.(tenant, { budget });
      };
      const written = new Map(TENANTS.map((tenant) => [tenant, 0]));
      for (let count = 0; count < COMMANDS; count++) {
        const tenant = TENANTS[random.below(TENANTS.length)] ?? "acme";
        await add(tenant, "a");
        written.set(tenant, (written.get(tenant) ?? 0) + 1);
        const copies = random.chance(0.3) ? 0 : random.chance(0.5) ? 1 : 3;
        for (let copy = 0; copy < copies; copy++) rings.push(ring(tenant));
        if (random.chance(0.3)) rings.push(ring(FORGED[random.below(FORGED.length)] ?? ""));
        await sleep(random.next() * 5);
      }
      await Promise.all(rings);
      // The schedule makes up for what was lost.
      const swept = await sweeper({ store, service })({ budget: 10_000 });
      expect(swept.isComplete).to.equal(true);
      expect((await store.tenants({ limit: 100 })).tenants.map(({ tenant }) => tenant)).to.have.members(
        TENANTS.filter((tenant) => (written.get(tenant) ?? 0) > 0),
      );
      for (const notes of Object.values(seen)) {
        expect(new Set(notes).size).to.equal(COMMANDS);
        for (const tenant of TENANTS) {
          const expected = Array.from({ length: written.get(tenant) ?? 0 }, (_, version) => `${tenant}/a/${version}`);
          // A handler that keeps no view may get an event again, where the machine stood still for longer than a lease.
          const first = new Set(notes.filter((note) => note.startsWith(`${tenant}/`)));
          expect([...first]).to.deep.equal(expected);
        }
      }
    });
  }
});
