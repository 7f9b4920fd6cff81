import type { Contender } from "../contender.ts";
import type { Measurement, Scenario } from "../scenario.ts";

/** Events delivered to one handler, from the first; a smaller replay on another store warms up. */
export const replay: Scenario = {
  name: "replay",
  title: "Replay of 100,000 events (1,000 aggregates x 100) through one handler, in memory",
  unit: "events/s",
  measure: async (contender, quick) => {
    const warm = await replayOf(contender, 200);
    return warm && replayOf(contender, quick ? 200 : 1000);
  },
};

async function replayOf({ memory }: Contender, aggregates: number): Promise<Measurement | undefined> {
  const engine = await memory?.();
  if (engine?.replay === undefined) return undefined;
  for (let aggregate = 0; aggregate < aggregates; aggregate++) await engine.seed(`calc${aggregate}`, 100);
  globalThis.gc?.();
  const start = performance.now();
  const handled = await engine.replay();
  const seconds = (performance.now() - start) / 1000;
  await engine.close();
  if (handled !== aggregates * 100) throw new Error(`${handled} of ${aggregates * 100} events came`);
  return { value: handled / seconds };
}
