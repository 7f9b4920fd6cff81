import type { ReadResult } from "../../../core/index.ts";
import { DelegatingStore } from "../../support/delegating-store.ts";
import type { Mutant } from "./mutant.ts";

/** How many reads pass a commit in flight before it appears. */
const LATE = 2;

class PassesCommitsInFlight extends DelegatingStore {
  readonly #passed = new Map<string, number>();

  override async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    const page = await this.inner.read(tenant, after, limit);
    const commits = page.commits.filter(({ position }, index) => {
      const times = this.#passed.get(`${tenant}/${position}`) ?? 0;
      const isInFlight = position % 3 === 0 && index < page.commits.length - 1 && times < LATE;
      if (isInFlight) this.#passed.set(`${tenant}/${position}`, times + 1);
      return !isInFlight;
    });
    return { ...page, commits };
  }
}

class SkipsAtPageEnds extends DelegatingStore {
  override async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    const page = await this.inner.read(tenant, after, limit);
    return page.commits.length === limit ? { ...page, next: page.next + 1 } : page;
  }
}

class ReadsFromTheTenantBefore extends DelegatingStore {
  #last = "";

  override async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    const from = after === 0 ? tenant : this.#last;
    this.#last = tenant;
    return this.inner.read(from, after, limit);
  }
}

class TellsALateHead extends DelegatingStore {
  override async peek(tenant: string, thread: string): ReturnType<DelegatingStore["peek"]> {
    const peek = await this.inner.peek(tenant, thread);
    return { ...peek, head: Math.max(0, peek.head - 1) };
  }
}

/** Stores that break what is promised of a tenant's order. */
export const OF_THE_ORDER: readonly Mutant[] = [
  { title: "reads past a commit in flight", make: (inner) => new PassesCommitsInFlight(inner) },
  { title: "skips a commit at the end of a full page", make: (inner) => new SkipsAtPageEnds(inner) },
  { title: "goes on reading in the tenant that was read before", make: (inner) => new ReadsFromTheTenantBefore(inner) },
  { title: "tells a head that lies before the last commit", make: (inner) => new TellsALateHead(inner) },
];
