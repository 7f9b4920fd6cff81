/**
 * How long to wait before another try, in ms: random, at most `first` before the first one, twice as much with each further try, up to
 * `longest`. `tries` counts from 0; `random` is uniform in [0, 1).
 *
 * "Full jitter", so that contenders part (Brooker, "Exponential Backoff And Jitter", 2015).
 */
export function fullJitter(tries: number, first: number, longest: number, random: () => number): number {
  return random() * Math.min(longest, first * 2 ** tries);
}
