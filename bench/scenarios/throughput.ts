import { throughput } from "../load.ts";
import type { Scenario } from "../scenario.ts";
import { withDatabaseFile } from "../scratch.ts";

/** How long the same load, on stores of its own, warms a process up, in ms: a short one would measure the compiler. */
const WARM_UP = 2_000;

/** Commands in memory, once the process is warm. */
function inMemory(inFlight: number): Scenario {
  return {
    name: `memory-${inFlight}`,
    title: `In memory: 1,000 aggregates x 10 commands, ${inFlight} in flight`,
    unit: "commands/s",
    measure: async ({ memory }, quick) => {
      if (memory === undefined) return undefined;
      const load = { aggregates: quick ? 200 : 1000, commandsEach: 10, inFlight };
      for (const end = performance.now() + WARM_UP; performance.now() < end; ) await throughput(await memory(), load);
      return throughput(await memory(), load);
    },
  };
}

const onSqlite: Scenario = {
  name: "sqlite-32",
  title: "SQLite, WAL, synchronous=FULL: 320 aggregates x 10 commands, 32 in flight on distinct aggregates",
  unit: "commands/s",
  measure: async ({ sqlite }, quick) => {
    if (sqlite === undefined) return undefined;
    const run = (aggregates: number) =>
      withDatabaseFile(async (path) => {
        const engine = await sqlite(path);
        try {
          return await throughput(engine, { aggregates, commandsEach: 10, inFlight: 32 });
        } finally {
          await engine.close();
        }
      });
    await run(64);
    return run(quick ? 64 : 320);
  },
};

export const throughputScenarios: readonly Scenario[] = [inMemory(1), inMemory(32), onSqlite];
