import type { Contender, Engine } from "../contender.ts";
import type { Scenario } from "../scenario.ts";

const commands = 100;

/** 100 commands in a row on an aggregate that began with so many events. */
function longAggregate(events: number): Scenario {
  return {
    name: `long-${events}`,
    title: `A command on a warm aggregate, in memory: 100 in a row, beginning at ${events.toLocaleString("en")} events`,
    unit: "ms",
    measure: async (contender) => {
      const engine = await warmEngine(contender);
      return engine && { value: await millisecondsEach(engine, events) };
    },
  };
}

/** Both lengths in one process, so that what moves the machine moves both. */
const growth: Scenario = {
  name: "long-growth",
  title: "How many times longer that command takes at 10,000 events than at 10",
  unit: "times",
  measure: async (contender) => {
    const engine = await warmEngine(contender);
    if (engine === undefined) return undefined;
    const short = await millisecondsEach(engine, 10);
    return { value: (await millisecondsEach(engine, 10_000)) / short };
  },
};

/** Commands on other aggregates let the code be compiled. */
async function warmEngine({ memory }: Contender): Promise<Engine | undefined> {
  const engine = await memory?.();
  for (let i = 0; i < 1000; i++) await engine?.command(`other${i % 100}`);
  return engine;
}

async function millisecondsEach(engine: Engine, events: number): Promise<number> {
  const id = `long${events}`;
  const warming = 5;
  await engine.seed(id, events);
  for (let i = 0; i < warming; i++) await engine.command(id);
  globalThis.gc?.();
  const start = performance.now();
  for (let i = 0; i < commands; i++) await engine.command(id);
  const milliseconds = performance.now() - start;
  const sum = await engine.sum(id);
  if (sum !== 3 * (events + warming + commands)) throw new Error(`the sum is ${sum} after ${events + warming + commands} events`);
  return milliseconds / commands;
}

export const longAggregates: readonly Scenario[] = [longAggregate(10), longAggregate(10_000), growth];
