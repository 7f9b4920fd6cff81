import { Refusal } from "./problem.ts";

/** How much of a process one tenant may take. */
export interface FairShare {
  /** How many commands of a tenant are in work at once; default 16: enough to fill its group commits, too few to fill the process. */
  readonly atOnce: number;
  /** How many more of them may wait; default 1,000. */
  readonly waiting: number;
  /** How many bytes those may have been sent with; default 4 MiB: parsed, they can take twenty times as much. */
  readonly waitingBytes: number;
  /** How many bytes may wait of all tenants together; default 32 MiB. */
  readonly waitingBytesOfAll: number;
}

/** One command that waits for its turn. */
interface Waiting {
  readonly bytes: number;
  readonly begin: () => void;
}

interface Line {
  inWork: number;
  readonly waiting: Waiting[];
  /** Of those that wait. */
  bytes: number;
}

/**
 * Keeps a noisy tenant's commands waiting for each other, so that they do not stand before those of the quiet ones.
 *
 * Each tenant has a line of its own, first come first served; nobody waits for another tenant's line.
 */
export class FairQueue {
  readonly #share: FairShare;
  readonly #lines = new Map<string, Line>();
  /** Of those that wait, in every line. */
  #bytes = 0;

  constructor(share: Partial<FairShare> = {}) {
    this.#share = { atOnce: 16, waiting: 1_000, waitingBytes: 4 * 1024 * 1024, waitingBytesOfAll: 32 * 1024 * 1024, ...share };
  }

  /** Does the work in its turn; `bytes` is what its body was sent with. @throws {Refusal} `rate_limited` at once where too much waits already. */
  async run<T>(tenant: string, bytes: number, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(tenant) ?? { inWork: 0, waiting: [], bytes: 0 };
    this.#lines.set(tenant, line);
    if (line.inWork < this.#share.atOnce) line.inWork++;
    else await this.#turnIn(line, bytes);
    try {
      return await work();
    } finally {
      // Whoever is next takes the place over, so that nobody slips in between.
      const next = line.waiting.shift();
      if (next !== undefined) this.#leave(line, next);
      else if (--line.inWork === 0) this.#lines.delete(tenant);
    }
  }

  #turnIn(line: Line, bytes: number): Promise<void> {
    const { waiting, waitingBytes, waitingBytesOfAll } = this.#share;
    const isFull = line.waiting.length >= waiting || line.bytes + bytes > waitingBytes || this.#bytes + bytes > waitingBytesOfAll;
    if (isFull) throw tooMany(line.waiting.length);
    line.bytes += bytes;
    this.#bytes += bytes;
    return new Promise((begin) => line.waiting.push({ bytes, begin }));
  }

  #leave(line: Line, { bytes, begin }: Waiting): void {
    line.bytes -= bytes;
    this.#bytes -= bytes;
    begin();
  }
}

function tooMany(waiting: number): Refusal {
  return new Refusal(
    "rate_limited",
    `${waiting} commands of the tenant wait already, or too many bytes: send this one again later`,
    {
      headers: { "retry-after": "1" },
      facts: { limit: "tenant" },
    },
  );
}
