import type { Scenario } from "../scenario.ts";

/** One command after another on an aggregate that already has many events; the first twenty warm up. */
function longAggregate(events: number): Scenario {
  return {
    name: `long-${events}`,
    title: `One command on a warm aggregate of ${events.toLocaleString("en")} events, in memory`,
    unit: "ms",
    measure: async ({ memory }, quick) => {
      if (memory === undefined) return undefined;
      // The code is compiled by commands on other aggregates, and the aggregate itself warmed by a few: it must not grow.
      const engine = await memory();
      for (let i = 0; i < 200; i++) await engine.command(`other${i % 20}`);
      await engine.seed("long", events);
      const warmed = 5;
      for (let i = 0; i < warmed; i++) await engine.command("long");
      const measured = quick ? 20 : 100;
      globalThis.gc?.();
      const start = performance.now();
      for (let i = 0; i < measured; i++) await engine.command("long");
      const value = (performance.now() - start) / measured;
      const sum = await engine.sum("long");
      if (sum !== 3 * (events + warmed + measured))
        throw new Error(`the sum is ${sum} after ${events + warmed + measured} events`);
      await engine.close();
      return { value };
    },
  };
}

export const longAggregates: readonly Scenario[] = [longAggregate(10), longAggregate(10_000)];
