/** How long a property may take, in ms, its shrinking included: on an emulator that would outlast CI, and nothing would be told. */
const LONGEST = 120_000;

/** What fast-check is told. */
export interface Runs {
  readonly seed: number;
  readonly numRuns: number;
  readonly interruptAfterTimeLimit: number;
  readonly markInterruptAsFailure: true;
}

/**
 * The settings of every property: a fixed seed, so that CI repeats itself; `PROPERTY_SEED` tries another, `PROPERTY_RUNS` more.
 *
 * On failure fast-check prints the seed, the path and the shrunk counterexample.
 */
export function runs(count: number): Runs {
  const times = Number(process.env.PROPERTY_RUNS ?? 1);
  return {
    seed: Number(process.env.PROPERTY_SEED ?? 20_240_229),
    numRuns: Math.ceil(count * times),
    interruptAfterTimeLimit: LONGEST * Math.max(1, times),
    markInterruptAsFailure: true,
  };
}
