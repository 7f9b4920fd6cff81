import { AssertionError } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { FACETS } from "./facets.ts";
import type { Mutant } from "./mutants/mutant.ts";
import { OF_COMMITS } from "./mutants/of-commits.ts";
import { OF_TENANTS } from "./mutants/of-tenants.ts";
import { OF_THE_ORDER } from "./mutants/of-the-order.ts";
import { OF_THREADS } from "./mutants/of-threads.ts";
import { Run } from "./run.ts";

/** Runs clauses until one fails, and returns its title. */
async function catches({ make }: Mutant): Promise<string | undefined> {
  const clock = new TurnedClock();
  const run = new Run(make(new MemoryEventStore({ now: () => clock.now() })), clock, "mutant");
  for (const { name, clauses } of FACETS) {
    for (const clause of clauses) {
      try {
        await run.check(clause);
      } catch {
        return `${name}: ${clause.title}`;
      }
    }
  }
  return undefined;
}

describe("the contract kit catches a store that", () => {
  for (const mutant of [...OF_COMMITS, ...OF_THE_ORDER, ...OF_THREADS, ...OF_TENANTS]) {
    it(mutant.title, async function () {
      const clause = await catches(mutant);
      if (clause === undefined) throw new AssertionError(`no clause fails on a store that ${mutant.title}`);
      this.test!.title += ` (by “${clause}”)`;
    });
  }
});
