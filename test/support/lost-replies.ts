import type { SeededRandom } from "./seeded-random.ts";

/** How often a reply is lost. */
const LOST = 0.2;

/** A network on which replies get lost: sometimes the write never arrived, sometimes it did and only the answer is missing. */
export class LostReplies {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /**
   * Writes, and where the reply is lost asks `readBack` what is known for sure; without an answer writes the same again.
   *
   * `readBack` gets what the write resolved to if it arrived, standing for the writer's own mark that a database would hold.
   */
  async send<T>(write: () => Promise<T>, readBack: (arrived: T | undefined) => Promise<T | undefined>): Promise<T> {
    for (;;) {
      if (!this.#random.chance(LOST)) return write();
      const known = await readBack(await this.#withoutReply(write));
      if (known !== undefined) return known;
    }
  }

  async #withoutReply<T>(write: () => Promise<T>): Promise<T | undefined> {
    if (this.#random.chance(0.5)) return undefined;
    try {
      return await write();
    } catch {
      // The refusal is lost too: the same write is sent again and refused again.
      return undefined;
    }
  }
}
