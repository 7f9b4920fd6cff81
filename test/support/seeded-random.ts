/** A source of random numbers that a seed repeats exactly. */
export interface SeededRandom {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform among the integers from 0 to `bound`, which is not included. */
  below(bound: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
}

/** Makes numbers from a seed by mulberry32 (Tommy Ettinger): 32 bits of state, good enough to pick tests. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (bound) => Math.floor(next() * bound), chance: (probability) => next() < probability };
}
