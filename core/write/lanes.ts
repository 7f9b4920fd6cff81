/** Lets the commands on one aggregate through one after another, in the order of their coming; different keys never wait for each other. */
export class Lanes {
  /** Who waits, by the keys of the lanes that are taken. */
  readonly #taken = new Map<string, (() => void)[]>();

  /** Takes a lane; undefined = at once, else when the promise resolves. The caller must `leave` it, whatever happens. */
  enter(key: string): Promise<void> | undefined {
    const waiting = this.#taken.get(key);
    if (waiting !== undefined) return new Promise((resolve) => waiting.push(resolve));
    this.#taken.set(key, []);
    return undefined;
  }

  /** Runs a task alone in its lane. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    await this.enter(key);
    try {
      return await task();
    } finally {
      this.leave(key);
    }
  }

  /** Hands the lane to who came next. */
  leave(key: string): void {
    const next = this.#taken.get(key)?.shift();
    if (next === undefined) this.#taken.delete(key);
    else next();
  }
}
