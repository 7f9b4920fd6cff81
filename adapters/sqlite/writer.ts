import { Err } from "../../core/index.ts";
import { closed, isDiskError, translate } from "./failure.ts";

/** How long one transaction may take in more jobs, in ms: other processes and the event loop wait meanwhile. */
const LONGEST_TURN = 25;

/** How transactions begin and end. */
export interface Transactions {
  readonly path: string;
  patiently<T>(attempt: () => T): Promise<T>;
  begin(): void;
  commit(): void;
  rollback(): void;
}

interface Job {
  /** Checks, then writes; throws an `Err` only before it has written anything. */
  readonly run: () => unknown;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
  /** Set after a transaction failed that it shared: somebody else's failure must not be its own. */
  readonly isAlone?: true;
}

/** Lets all that is written in the same turn of the event loop, of whatever tenants, share one transaction, and so one wait for the disk. */
export class Writer {
  readonly #transactions: Transactions;
  #queue: Job[] = [];
  #draining: Promise<void> | undefined;
  #isClosed = false;

  constructor(transactions: Transactions) {
    this.#transactions = transactions;
  }

  /**
   * Runs a job in a transaction; resolves to its result once that is on the disk.
   *
   * An `Err` of the job is its own affair. @throws {StoreError} `none` when the transaction failed; `unknown` when the disk failed at its very end.
   */
  write<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) return reject(closed(this.#transactions.path));
      this.#queue.push({ run, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses new jobs, and resolves when those that came before are done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    // The rest of this turn joins.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      try {
        await this.#transactions.patiently(() => this.#transactions.begin());
        this.#transact();
      } catch (error) {
        for (const job of this.#queue.splice(0)) job.reject(error);
      }
      // A caller that writes again at once would otherwise keep timers and sockets waiting for ever.
      await new Promise(setImmediate);
    }
    this.#draining = undefined;
  }

  /** Runs jobs from the queue's head in the transaction that has begun. */
  #transact(): void {
    const jobs: Job[] = [];
    const settles: (() => void)[] = [];
    const end = performance.now() + LONGEST_TURN;
    let isAtEnd = false;
    try {
      for (let job = this.#queue.shift(); job !== undefined; job = this.#next(job, end)) {
        jobs.push(job);
        settles.push(attempt(job));
      }
      isAtEnd = true;
      this.#transactions.commit();
    } catch (error) {
      this.#transactions.rollback();
      this.#fail(jobs, error, isAtEnd);
      return;
    }
    for (const settle of settles) settle();
  }

  #next(job: Job, end: number): Job | undefined {
    const next = this.#queue[0];
    if (job.isAlone || next?.isAlone || performance.now() >= end) return undefined;
    return this.#queue.shift();
  }

  #fail(jobs: readonly Job[], error: unknown, isAtEnd: boolean): void {
    if (jobs.length > 1 && !isAtEnd) {
      this.#queue.unshift(...jobs.map((job) => ({ ...job, isAlone: true }) as const));
      return;
    }
    const failure = translate(error, this.#transactions.path, isAtEnd && isDiskError(error) ? "unknown" : "none");
    for (const job of jobs) job.reject(failure);
  }
}

function attempt(job: Job): () => void {
  try {
    const result = job.run() as never;
    return () => job.resolve(result);
  } catch (error) {
    if (!(error instanceof Err)) throw error;
    return () => job.reject(error);
  }
}
