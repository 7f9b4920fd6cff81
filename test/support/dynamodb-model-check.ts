import { type Plan, Scenario } from "./dynamodb-scenario.ts";

/** How many interleavings go on side by side: they share the turns of the event loop, and stay in the processor's cache. */
const ABREAST = 10;

/** What a run of interleavings found. */
export interface Findings {
  readonly interleavings: number;
  /** Decisions of the schedulers in all. */
  readonly steps: number;
  /** The first that went wrong. */
  readonly failure?: { readonly seed: number; readonly found: readonly string[] };
}

/** Runs the interleavings of `count` seeds from one on, until one of them goes wrong. */
export async function checkInterleavings(first: number, count: number, plan: Plan = {}): Promise<Findings> {
  let steps = 0;
  const { stackTraceLimit } = Error;
  // Most of the errors are answers of the model, and a stack costs more than all the rest of a step.
  Error.stackTraceLimit = 0;
  try {
    for (let done = 0; done < count; ) {
      const seeds = Array.from({ length: Math.min(ABREAST, count - done) }, (_, n) => first + done + n);
      const scenarios = seeds.map((seed) => ({ seed, scenario: new Scenario(seed, plan) }));
      // Each has a table, a scheduler and a clock of its own.
      await Promise.all(scenarios.map(({ scenario }) => scenario.start()));
      for (let active = scenarios; active.length > 0; active = active.filter(({ scenario }) => !scenario.isOver)) {
        for (const { scenario } of active) scenario.decide();
        steps += active.length;
        await new Promise(setImmediate);
      }
      done += seeds.length;
      for (const { seed, scenario } of scenarios) {
        const found = await scenario.findings();
        if (found.length > 0) return { interleavings: done, steps, failure: { seed, found } };
      }
    }
    return { interleavings: count, steps };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
