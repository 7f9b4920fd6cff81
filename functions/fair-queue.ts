import { Refusal } from "./problem.ts";

/** How much of a process one tenant may take. */
export interface FairShare {
  /** How many commands of a tenant are in work at once; default 16: enough to fill its group commits, too few to fill the process. */
  readonly atOnce: number;
  /** How many more of them may wait; default 1,000. */
  readonly waiting: number;
}

interface Line {
  inWork: number;
  readonly waiting: (() => void)[];
}

/**
 * Keeps a noisy tenant's commands waiting for each other, so that they do not stand before those of the quiet ones.
 *
 * Each tenant has a line of its own, first come first served; nobody waits for another tenant's line.
 */
export class FairQueue {
  readonly #share: FairShare;
  readonly #lines = new Map<string, Line>();

  constructor({ atOnce = 16, waiting = 1_000 }: Partial<FairShare> = {}) {
    this.#share = { atOnce, waiting };
  }

  /** Does the work in its turn. @throws {Refusal} `rate_limited` at once where too many of the tenant wait already. */
  async run<T>(tenant: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(tenant) ?? { inWork: 0, waiting: [] };
    this.#lines.set(tenant, line);
    if (line.inWork < this.#share.atOnce) line.inWork++;
    else if (line.waiting.length < this.#share.waiting) await new Promise<void>((begin) => line.waiting.push(begin));
    else throw tooMany(line.waiting.length);
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over, so that nobody slips in between.
      const next = line.waiting.shift();
      if (next !== undefined) next();
      else if (--line.inWork === 0) this.#lines.delete(tenant);
    }
  }
}

function tooMany(waiting: number): Refusal {
  return new Refusal("rate_limited", `${waiting} commands of the tenant wait already: send this one again later`, {
    headers: { "retry-after": "1" },
    facts: { limit: "tenant" },
  });
}
