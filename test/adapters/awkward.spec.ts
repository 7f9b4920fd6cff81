import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { contract } from "../contract/index.ts";
import { AwkwardEventStore } from "../support/awkward-event-store.ts";

/** Each is another run of bad luck; `AWKWARD_SEED` adds one, to repeat what a failure printed or to try a new one. */
const SEEDS = [1, 2, 3, ...(process.env.AWKWARD_SEED === undefined ? [] : [Number(process.env.AWKWARD_SEED)])];

for (const seed of SEEDS) {
  contract(`awkward memory (seed ${seed})`, (now) => new AwkwardEventStore(new MemoryEventStore({ now }), { seed, now }));
}
