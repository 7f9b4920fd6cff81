import { throughput } from "../load.ts";
import type { Measurement, Scenario } from "../scenario.ts";
import { withDatabaseFile } from "../scratch.ts";

/** How long a process sends the load before it is measured, and while it is, in ms: a short run would measure the compiler. */
const WARM_UP = 2_000;
const MEASURED = 2_000;

/** Commands in memory in a warm process, each load on a store of its own; the mean over what fits into the time. */
function inMemory(inFlight: number): Scenario {
  return {
    name: `memory-${inFlight}`,
    title: `In memory: 1,000 aggregates x 10 commands, ${inFlight} in flight, in a warm process`,
    unit: "commands/s",
    measure: async ({ memory }, quick) => {
      if (memory === undefined) return undefined;
      const load = { aggregates: quick ? 200 : 1000, commandsEach: 10, inFlight };
      for (const end = performance.now() + WARM_UP; performance.now() < end; ) await throughput(await memory(), load);
      let seconds = 0;
      let loads = 0;
      let last: Measurement = { value: 0 };
      for (const end = performance.now() + MEASURED; performance.now() < end; loads++) {
        last = await throughput(await memory(), load);
        seconds += 1 / last.value;
      }
      return { ...last, value: loads / seconds };
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
