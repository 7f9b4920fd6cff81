/** How far apart the numbers of neighbours are, on average. */
const STRIDE = 4;

/** Spreads places (0, 1, 2 … commits) over numbers with gaps: also before the first one and behind the last one. */
export class SparseNumbers {
  readonly #seed: number;

  constructor(seed: number, tenant: string) {
    this.#seed = [...tenant].reduce((hash, letter) => Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193), seed);
  }

  /** The number of the commit at a place, counted from 1; place 0 is before the first and has the number 0. */
  numberOf(place: number): number {
    return place === 0 ? 0 : place * STRIDE + this.#below(place, STRIDE - 1);
  }

  /** How many commits have numbers up to this one. */
  placeAt(number: number): number {
    const place = Math.floor(number / STRIDE);
    return place > 0 && this.numberOf(place) > number ? place - 1 : place;
  }

  /** The last number that is decided when this many commits are there: unused ones may follow the last commit. */
  endOf(place: number): number {
    const last = this.numberOf(place);
    return last + this.#below(-place - 1, this.numberOf(place + 1) - last);
  }

  /** A number below `bound` that looks random and is always the same for the place. */
  #below(place: number, bound: number): number {
    let hash = Math.imul(this.#seed ^ place, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) % bound;
  }
}
