import type { Contender } from "../contender.ts";
import type { Measurement, Scenario } from "../scenario.ts";

/** Every event folded into its aggregate's view, from the first; a smaller rebuild on another store warms up. */
export const rebuild: Scenario = {
  name: "rebuild",
  title: "Rebuild of 1,000 views from 100,000 events (1,000 aggregates x 100), in memory",
  unit: "events/s",
  measure: async (contender, quick) => {
    const warm = await rebuildOf(contender, 200);
    return warm && rebuildOf(contender, quick ? 200 : 1000);
  },
};

async function rebuildOf({ memory }: Contender, aggregates: number): Promise<Measurement | undefined> {
  const engine = await memory?.();
  if (engine?.rebuild === undefined) return undefined;
  for (let aggregate = 0; aggregate < aggregates; aggregate++) await engine.seed(`calc${aggregate}`, 100);
  const run = await engine.rebuild();
  globalThis.gc?.();
  const start = performance.now();
  const views = await run();
  const seconds = (performance.now() - start) / 1000;
  await engine.close();
  const sums = Object.values(views);
  if (sums.length !== aggregates || sums.some((sum) => sum !== 300))
    throw new Error(`${sums.length} of ${aggregates} views came`);
  return { value: (aggregates * 100) / seconds };
}
