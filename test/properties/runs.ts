/**
 * The settings of every property: a fixed seed, so that CI repeats itself; `PROPERTY_SEED` tries another, `PROPERTY_RUNS` more.
 *
 * On failure fast-check prints the seed, the path and the shrunk counterexample.
 */
export function runs(count: number): { readonly seed: number; readonly numRuns: number } {
  return {
    seed: Number(process.env.PROPERTY_SEED ?? 20_240_229),
    numRuns: Math.ceil(count * Number(process.env.PROPERTY_RUNS ?? 1)),
  };
}
