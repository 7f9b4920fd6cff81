import type { Address } from "../model/address.ts";
import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import type { Commit } from "../model/commit.ts";
import { applyCommits, create, restore, stateOf } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import type { SnapshotPlan } from "../model/snapshot.ts";
import type { Cost, IEventStore, LoadResult } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { type Place, Places } from "./places.ts";

/** How long a warm state may be used, in ms: shorter than an erased tenant's name rests. */
const MAX_AGE = 10 * 60 * 1000;

/** An aggregate brought back. */
export interface Rehydrated {
  readonly aggregate: AnyAggregate;
  /** The tenant's life in which the state is true; undefined for an aggregate or a tenant that is new. */
  readonly life: string | undefined;
  /** The state is a warm one, so it may be stale. */
  readonly isCached: boolean;
  readonly cost: Cost;
}

/** All of an aggregate's commits, without its snapshot. */
export const EVERYTHING = Object.freeze({ after: -1 });

/** What nothing costs. */
export const FREE: Cost = Object.freeze({ reads: 0, writes: 0 });

/** Whether a load's snapshot is of the class's schema, and no redaction was noted since: what was removed may still be in it then. */
export function isValid({ snapshot, commits }: LoadResult, { schema }: SnapshotPlan): boolean {
  return snapshot?.schema === schema && commits.every(({ events }) => events.length > 0);
}

/** Brings aggregates back: from the warm cache, else from a snapshot and the commits after it, else from all commits. */
export class Rehydrator {
  readonly #store: IEventStore;
  readonly #platform: IPlatform;
  readonly #tracer: ITracer | undefined;
  /** The aggregates that are in use or warm. */
  readonly places: Places;

  constructor(store: IEventStore, platform: IPlatform, tracer: ITracer | undefined, cacheSize: number) {
    this.#store = store;
    this.#platform = platform;
    this.#tracer = tracer;
    this.places = new Places(cacheSize);
  }

  /** A fresh instance in the warm state, which may be stale; undefined where none is kept, or too old a one. Costs no read. */
  warm(place: Place, now: number): Rehydrated | undefined {
    const { registration, address, warm } = place;
    if (warm === undefined) return undefined;
    if (now - warm.cachedAt > MAX_AGE) {
      place.warm = undefined;
      return undefined;
    }
    const aggregate = restore(registration.Type, address.id, warm.version, warm.state);
    return { aggregate, life: warm.life, isCached: true, cost: FREE };
  }

  /** A fresh instance in the latest state. Cost: one load (two where the snapshot has another shape, or a redaction came after it). */
  async load(place: Place, trust: "snapshot" | "events" = "snapshot"): Promise<Rehydrated> {
    const { registration, address, redactions } = place;
    const { Type, plan } = registration;
    const isKept = plan.every > 0;
    let loaded = await this.#store.load(address, isKept && trust === "snapshot" ? undefined : EVERYTHING);
    let { cost = FREE } = loaded;
    if (loaded.snapshot !== undefined && !isValid(loaded, plan)) {
      const { reads } = cost;
      loaded = await this.#store.load(address, EVERYTHING);
      cost = { reads: reads + (loaded.cost?.reads ?? 0), writes: 0 };
    }
    const { snapshot, commits } = loaded;
    const life = loaded.life === "" ? undefined : loaded.life;
    const aggregate = snapshot ? restore(Type, address.id, snapshot.version, snapshot.state) : create(Type, address.id);
    applyCommits(Type, aggregate, commits);
    const version = aggregate.aggregateVersion;
    this.#tracer?.trace(() => ({ method: "load", ...address, version, reads: cost.reads }));
    if (isKept && version >= 0 && redactions === place.redactions)
      this.keep(place, version, stateOf(aggregate).value, life, this.#platform.now());
    return { aggregate, life, isCached: false, cost };
  }

  /** The aggregate as it was after a version, folded from its events, with the last commit that made it so. Cost: one load. */
  async loadAt(
    Type: AggregateClass,
    address: Address,
    version: number,
  ): Promise<{ readonly aggregate: AnyAggregate; readonly last: Commit | undefined }> {
    const aggregate = create(Type, address.id);
    const { commits } = await this.#store.load(address, { upTo: version });
    applyCommits(Type, aggregate, commits);
    return { aggregate, last: commits.at(-1) };
  }

  /** Whether the store holds commits after this version, or the tenant began another life; then the warm state is dropped. One read. */
  async isStale(place: Place, version: number, life: string | undefined): Promise<boolean> {
    const tail = await this.#store.load(place.address, { after: version, limit: 1 });
    const isStale = tail.commits.length > 0 || tail.life !== life;
    if (isStale) place.warm = undefined;
    return isStale;
  }

  /** Keeps a state for the next command, if its life is known; never an older version than the one that is kept. */
  keep(place: Place, version: number, state: JsonObject, life: string | undefined, cachedAt: number): void {
    if (place.registration.plan.every === 0 || life === undefined || version < (place.warm?.version ?? 0)) return;
    place.warm = { version, state, life, cachedAt };
  }
}
