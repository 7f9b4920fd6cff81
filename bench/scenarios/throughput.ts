import { throughput } from "../load.ts";
import type { Measurement, Scenario } from "../scenario.ts";
import { withDatabaseFile } from "../scratch.ts";

/** How long a process sends the load before it is measured, and while it is, in ms: a short run would measure the compiler. */
const WARM_UP = 2_000;
const MEASURED = 2_000;

/** Sends the load on stores of its own, unmeasured at first, then measured; the mean over what fits into the time. */
async function inWarmProcess(load: () => Promise<Measurement>): Promise<Measurement> {
  for (const end = performance.now() + WARM_UP; performance.now() < end; ) await load();
  let seconds = 0;
  let loads = 0;
  let last: Measurement = { value: 0 };
  for (const end = performance.now() + MEASURED; performance.now() < end; loads++) {
    last = await load();
    seconds += 1 / last.value;
  }
  return { ...last, value: loads / seconds };
}

function inMemory(inFlight: number): Scenario {
  return {
    name: `memory-${inFlight}`,
    title: `In memory: 1,000 aggregates x 10 commands, ${inFlight} in flight, in a warm process`,
    unit: "commands/s",
    measure: async ({ memory }, quick) => {
      if (memory === undefined) return undefined;
      return inWarmProcess(async () =>
        throughput(await memory(), { aggregates: quick ? 200 : 1000, commandsEach: 10, inFlight }),
      );
    },
  };
}

const onSqlite: Scenario = {
  name: "sqlite-32",
  title: "SQLite, WAL, synchronous=FULL: 320 aggregates x 10 commands, 32 in flight on distinct aggregates, in a warm process",
  unit: "commands/s",
  measure: async ({ sqlite }, quick) => {
    if (sqlite === undefined) return undefined;
    return inWarmProcess(() =>
      withDatabaseFile(async (path) => {
        const engine = await sqlite(path);
        try {
          return await throughput(engine, { aggregates: quick ? 64 : 320, commandsEach: 10, inFlight: 32 });
        } finally {
          await engine.close();
        }
      }),
    );
  },
};

export const throughputScenarios: readonly Scenario[] = [inMemory(1), inMemory(32), onSqlite];
