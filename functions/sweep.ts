import { setTimeout as sleep } from "node:timers/promises";
import { checkInteger, type IEventStore } from "../core/index.ts";
import { LEASE, type Service } from "./composition.ts";
import { errorFacts, type Log } from "./log.ts";

/** Where a sweep keeps its place between two runs, so that each begins where the last one stopped; a tenant's name. */
export interface SweepPlace {
  read(): Promise<string | undefined>;
  write(tenant: string): Promise<void>;
}

/** What a sweep works with. */
export interface SweepSetting {
  readonly store: Pick<IEventStore, "tenants">;
  readonly service: Pick<Service, "reader" | "threads">;
  /** Default: the memory of the process, which is enough where one sweep sees every tenant. */
  readonly place?: SweepPlace;
  readonly log?: Log;
}

/** What a sweep may use. */
export interface SweepOptions {
  /** How long it may take, in ms: what the platform leaves, less the time that a handler needs for the commit in hand. */
  readonly budget: number;
  /**
   * How many polls it may do; default 10,000. One costs 2 reads where nothing is to do, and reads at most 100 commits. A tenant that was
   * begun is looked at whole, so it may be fewer than one more for each thread.
   */
  readonly polls?: number;
  /** How long one tenant's thread may be read before others get their turn, in ms; default 5,000. */
  readonly slice?: number;
  /** How many threads are read at the same time; default 8. */
  readonly concurrency?: number;
}

/** What a sweep did. */
export interface Swept {
  /** How many tenants were looked at. */
  readonly tenants: number;
  readonly polls: number;
  /** How many events handlers finished. */
  readonly handled: number;
  /** How many polls failed; they are in the log. */
  readonly failed: number;
  /** Whether the budget was enough to read every tenant as far as it could be read; else the next sweep goes on. */
  readonly isComplete: boolean;
}

/** Reads whoever is behind, within a budget. @throws {Err} `store` where the registry cannot be read. */
export type Sweep = (options: SweepOptions) => Promise<Swept>;

/** How many tenants are asked for at once: what a sweep may list in vain. */
const PAGE = 100;

/** One thread of one tenant, to be polled once. */
interface Job {
  readonly tenant: string;
  readonly thread: string;
}

/**
 * Makes the sweep of a service, for the schedule that makes up for lost doorbells.
 *
 * Fair: every tenant gets one poll of each thread (at most 100 commits, and a slice of time) before any gets a second one; those that
 * are not finished then take turns. The round begins after the tenant where the last sweep stopped, and goes through the whole registry.
 */
export function sweeper(setting: SweepSetting): Sweep {
  const place = setting.place ?? placeInMemory();
  return async (options) => {
    const run = new SweepRun({ ...setting, place }, options);
    return run.finish();
  };
}

/** A place that is kept as long as the process lives. */
function placeInMemory(): SweepPlace {
  let last: string | undefined;
  return {
    read: async () => last,
    write: async (tenant) => {
      last = tenant;
    },
  };
}

class SweepRun {
  readonly #setting: SweepSetting & { readonly place: SweepPlace };
  readonly #signal: AbortSignal;
  readonly #polls: number;
  readonly #slice: number;
  readonly #concurrency: number;
  /** Those that take turns after the first round, in the order of their coming. */
  readonly #again: Job[] = [];
  readonly #done = { tenants: 0, polls: 0, handled: 0, failed: 0 };
  /** The last tenant whose threads the first round gave out; the first one at least, so that one which takes all the time is not first again. */
  #last: string | undefined;
  #isFirstRoundOver = false;

  constructor(setting: SweepSetting & { readonly place: SweepPlace }, options: SweepOptions) {
    this.#setting = setting;
    this.#signal = AbortSignal.timeout(checkInteger(options.budget, "budget", 1));
    this.#polls = checkInteger(options.polls ?? 10_000, "polls", 1);
    this.#slice = checkInteger(options.slice ?? 5_000, "slice", 1);
    this.#concurrency = checkInteger(options.concurrency ?? 8, "concurrency", 1, 100);
  }

  async finish(): Promise<Swept> {
    const begin = await this.#setting.place.read();
    const jobs = this.#jobs(begin);
    const workers = Array.from({ length: this.#concurrency }, () => this.#work(jobs));
    // Each to its end, also where the registry fails for one of them.
    const ends = await Promise.allSettled([...workers, this.#keepPlace(begin, workers)]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    return { ...this.#done, isComplete: this.#isFirstRoundOver && this.#again.length === 0 };
  }

  /** Once the time is over not even a handler that hangs is waited for: the platform may end the sweep before it, and the next would begin here again. */
  async #keepPlace(begin: string | undefined, workers: readonly Promise<void>[]): Promise<void> {
    const isOver = new Promise((resolve) => this.#signal.addEventListener("abort", resolve, { once: true }));
    await Promise.race([Promise.allSettled(workers), isOver]);
    if (this.#last !== undefined && this.#last !== begin) await this.#setting.place.write(this.#last);
  }

  get #isSpent(): boolean {
    return this.#signal.aborted || this.#done.polls >= this.#polls;
  }

  /** The next thing to do; the generator hands jobs out one by one, to whichever worker asks. */
  async *#jobs(begin: string | undefined): AsyncGenerator<Job, undefined> {
    for await (const tenant of this.#tenants(begin)) {
      this.#done.tenants++;
      this.#last ??= tenant;
      for (const thread of Object.keys(this.#setting.service.threads)) {
        this.#done.polls++;
        yield { tenant, thread };
      }
      this.#last = tenant;
      if (this.#isSpent) return undefined;
    }
    this.#isFirstRoundOver = !this.#isSpent;
    return undefined;
  }

  /** Every tenant once: those after `begin`, then the others up to it. */
  async *#tenants(begin: string | undefined): AsyncGenerator<string, undefined> {
    yield* this.#tenantsBetween(begin, undefined);
    if (begin !== undefined) yield* this.#tenantsBetween(undefined, begin);
    return undefined;
  }

  async *#tenantsBetween(after: string | undefined, last: string | undefined): AsyncGenerator<string, undefined> {
    for (let from = after; !this.#isSpent; ) {
      const page = await this.#setting.store.tenants({ limit: PAGE, ...(from !== undefined && { after: from }) });
      for (const { tenant, status } of page.tenants) {
        if (last !== undefined && tenant > last) return undefined;
        if (status === "open" || status === "suspended") yield tenant;
      }
      from = page.next;
      if (from === undefined) return undefined;
    }
    return undefined;
  }

  async #work(jobs: AsyncGenerator<Job, undefined>): Promise<void> {
    while (!this.#signal.aborted) {
      const job = (await jobs.next()).value ?? this.#nextAgain();
      if (job === undefined) return;
      await this.#poll(job);
    }
  }

  #nextAgain(): Job | undefined {
    if (this.#isSpent || this.#again.length === 0) return undefined;
    this.#done.polls++;
    return this.#again.shift();
  }

  async #poll(job: Job): Promise<void> {
    const { service, log } = this.#setting;
    const handlers = service.threads[job.thread] ?? [];
    const isOver = new AbortController();
    const signal = AbortSignal.any([this.#signal, isOver.signal]);
    // Not AbortSignal.timeout, of which one for each poll would stay until its time.
    const slice = sleep(this.#slice, undefined, { signal, ref: false }).then(
      () => isOver.abort(),
      () => {},
    );
    try {
      const { status, handled } = await service.reader.poll(job.tenant, job.thread, handlers, { signal, lease: LEASE });
      this.#done.handled += handled;
      // Also where nothing seemed to be left: what came meanwhile found the thread leased.
      if (status === "progressed") this.#again.push(job);
    } catch (error) {
      this.#done.failed++;
      log?.("ERROR", "a thread could not be swept", { ...job, error: errorFacts(error) });
    } finally {
      isOver.abort();
      await slice;
    }
  }
}
