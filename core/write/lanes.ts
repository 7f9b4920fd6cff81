/** Runs tasks of the same key one after another, in the order of their calls; tasks of different keys never wait for each other. */
export class Lanes {
  readonly #tails = new Map<string, Promise<void>>();

  /** Resolves or rejects as the task does; a failing task does not stop the lane. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    let leave!: () => void;
    const tail = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#tails.set(key, tail);
    if (before !== undefined) await before;
    try {
      return await task();
    } finally {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
      leave();
    }
  }
}
