import type { CursorOutcome, CursorUpdate, IViews, Lease, ParkedPage, Peek, ThreadState } from "../../../core/index.ts";
import { DelegatingStore, type ParkedOptions } from "../../support/delegating-store.ts";
import type { Mutant } from "./mutant.ts";

class MovesCursorsBack extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return this.inner.commitCursors(lease, { ...update, rewound: Object.keys(update.cursors) });
  }
}

class AcceptsStaleFences extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { fence } = (await this.inner.peek(lease.tenant, lease.thread)).thread;
    return this.inner.commitCursors({ ...lease, fence }, update);
  }
}

class WritesCursorsWithoutViews extends DelegatingStore {
  override async commitCursors(lease: Lease, { views: _, ...update }: CursorUpdate): Promise<CursorOutcome> {
    return this.inner.commitCursors(lease, update);
  }
}

class WritesViewsBeforeItRefuses extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { fence, leasedUntil } = (await this.inner.peek(lease.tenant, lease.thread)).thread;
    if (update.views !== undefined)
      await this.inner.commitCursors({ ...lease, fence }, { cursors: {}, views: update.views, leasedUntil });
    return this.inner.commitCursors(lease, update);
  }
}

class WritesParkedEventsBeforeItRefuses extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { fence, leasedUntil } = (await this.inner.peek(lease.tenant, lease.thread)).thread;
    if (update.park !== undefined)
      await this.inner.commitCursors({ ...lease, fence }, { cursors: {}, park: update.park, leasedUntil });
    return this.inner.commitCursors(lease, update);
  }
}

class IgnoresOwners extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const outcome = await this.inner.commitCursors(lease, update);
    if (outcome.status !== "owned") return outcome;
    const { claims: _, ...rest } = update;
    return this.inner.commitCursors(lease, rest);
  }
}

class LeasesWithoutLooking extends DelegatingStore {
  override async acquire(tenant: string, thread: string, _seen: ThreadState, until: number): Promise<Lease | undefined> {
    return this.inner.acquire(tenant, thread, (await this.inner.peek(tenant, thread)).thread, until);
  }
}

class LeasesByFenceOnly extends DelegatingStore {
  override async acquire(tenant: string, thread: string, seen: ThreadState, until: number): Promise<Lease | undefined> {
    const { thread: current } = await this.inner.peek(tenant, thread);
    return this.inner.acquire(tenant, thread, current.fence === seen.fence ? current : seen, until);
  }
}

class ForgetsWaiting extends DelegatingStore {
  override async commitCursors(lease: Lease, { waiting: _, ...update }: CursorUpdate): Promise<CursorOutcome> {
    return this.inner.commitCursors(lease, update);
  }
}

class SharesThreadsBetweenTenants extends DelegatingStore {
  #first: string | undefined;

  override async peek(tenant: string, thread: string): Promise<Peek> {
    this.#first ??= tenant;
    return this.inner.peek(this.#first, thread);
  }

  override async acquire(tenant: string, thread: string, seen: ThreadState, until: number): Promise<Lease | undefined> {
    this.#first ??= tenant;
    return this.inner.acquire(this.#first, thread, seen, until);
  }
}

class ListsParkedEventsAsTexts extends DelegatingStore {
  override async parked(tenant: string, thread: string, options: ParkedOptions): Promise<ParkedPage> {
    const { parked, next } = await this.inner.parked(tenant, thread, options);
    const sorted = [...parked].sort((a, b) => (`${a.handler}${a.position}` < `${b.handler}${b.position}` ? -1 : 1));
    return next === undefined ? { parked: sorted } : { parked: sorted, next };
  }
}

class ListsViewsTwice extends DelegatingStore {
  override views(tenant: string, collection: string): IViews {
    const views = this.inner.views(tenant, collection);
    const list: IViews["list"] = async (options) => {
      const page = await views.list(options);
      const before = page.views.at(-2)?.id;
      return page.next === undefined || before === undefined ? page : { ...page, next: before };
    };
    return { get: (ids) => views.get(ids), list };
  }
}

class MergesViews extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const views = [];
    for (const view of update.views ?? []) {
      const [old] = await this.inner.views(lease.tenant, view.collection).get([view.id]);
      views.push(view.value === undefined ? view : { ...view, value: Object.freeze({ ...old, ...view.value }) });
    }
    return this.inner.commitCursors(lease, { ...update, views });
  }
}

class KeepsForgottenCursors extends DelegatingStore {
  override async commitCursors(lease: Lease, { forgotten: _, ...update }: CursorUpdate): Promise<CursorOutcome> {
    return this.inner.commitCursors(lease, update);
  }
}

class KeepsForgottenCollections extends DelegatingStore {
  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const forgotten = (update.forgotten ?? []).map(({ handler }) => ({ handler, collections: [] }));
    return this.inner.commitCursors(lease, { ...update, forgotten });
  }
}

/** Stores that break what is promised of leases, cursors, views and parked events. */
export const OF_THREADS: readonly Mutant[] = [
  { title: "moves cursors back", make: (inner) => new MovesCursorsBack(inner) },
  { title: "accepts stale fences", make: (inner) => new AcceptsStaleFences(inner) },
  { title: "writes cursors without their views", make: (inner) => new WritesCursorsWithoutViews(inner) },
  { title: "writes views before it refuses their cursors", make: (inner) => new WritesViewsBeforeItRefuses(inner) },
  { title: "parks events before it refuses their cursors", make: (inner) => new WritesParkedEventsBeforeItRefuses(inner) },
  { title: "ignores who owns a collection", make: (inner) => new IgnoresOwners(inner) },
  { title: "leases without looking at what was seen", make: (inner) => new LeasesWithoutLooking(inner) },
  { title: "looks at the fence only when it leases", make: (inner) => new LeasesByFenceOnly(inner) },
  { title: "forgets what a thread waits for", make: (inner) => new ForgetsWaiting(inner) },
  { title: "shares threads between tenants", make: (inner) => new SharesThreadsBetweenTenants(inner) },
  { title: "lists parked events in the order of texts", make: (inner) => new ListsParkedEventsAsTexts(inner) },
  { title: "lists a view again on the next page", make: (inner) => new ListsViewsTwice(inner) },
  { title: "keeps the cursors of forgotten handlers", make: (inner) => new KeepsForgottenCursors(inner) },
  { title: "keeps the collections of forgotten handlers", make: (inner) => new KeepsForgottenCollections(inner) },
  { title: "merges views instead of replacing them", make: (inner) => new MergesViews(inner) },
];
