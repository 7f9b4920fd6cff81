import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import type { IEventStore } from "../../core/index.ts";
import { AwkwardEventStore } from "../support/awkward-event-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { runs } from "./runs.ts";
import { tillDeed } from "./till-deeds.ts";
import { Twofold } from "./twofold.ts";

/** What the handlers stand on, and what gives it back. */
interface Ground {
  readonly stores: readonly IEventStore[];
  readonly close: () => Promise<void>;
}

const GROUNDS: Readonly<Record<string, (now: () => number) => Promise<Ground>>> = {
  "the memory store": async (now) => ({ stores: [new MemoryEventStore({ now })], close: async () => {} }),
  "the awkward store": async (now) => ({
    stores: [new AwkwardEventStore(new MemoryEventStore({ now }), { seed: 11, now })],
    close: async () => {},
  }),
  "two connections to one SQLite file": async (now) => {
    const folder = await mkdtemp(join(tmpdir(), "evenant-oracle-"));
    const stores = [0, 1].map(() => new SqliteEventStore({ path: join(folder, "db"), now }));
    return {
      stores,
      close: async () => {
        for (const store of stores) await store.close();
        await rm(folder, { recursive: true });
      },
    };
  },
};

describe("Five handlers with caches of their own, of classes old and new,", function () {
  this.timeout(60_000);

  for (const [name, make] of Object.entries(GROUNDS)) {
    it(`answer as a model without any machinery does, on ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(tillDeed, { minLength: 1, maxLength: 40, size: "max" }), async (deeds) => {
          const clock = new TurnedClock();
          const { stores, close } = await make(() => clock.now());
          try {
            const twofold = new Twofold(stores, clock);
            for (const one of deeds) await twofold.do(one);
            await twofold.end();
          } finally {
            await close();
          }
        }),
        runs(150),
      );
    });
  }
});
