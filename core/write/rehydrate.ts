import { type Address, keyOf } from "../model/address.ts";
import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import type { Commit } from "../model/commit.ts";
import { applyCommits, create, restore, stateOf } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import type { Cost, IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { StateCache } from "./cache.ts";
import type { Registration } from "./registry.ts";

/** Where an aggregate is, and the key of that place. */
export interface Place {
  readonly registration: Registration;
  readonly address: Address;
  /** `keyOf(address)`. */
  readonly key: string;
}

/** The place of an id among the aggregates of a registered class. */
export function placeOf(registration: Registration, tenant: string, id: string): Place {
  const address = { tenant, type: registration.type, id };
  return { registration, address, key: keyOf(address) };
}

/** An aggregate brought back. */
export interface Rehydrated {
  readonly aggregate: AnyAggregate;
  /** The tenant's life in which the state is true; undefined for an aggregate or a tenant that is new. */
  readonly life: string | undefined;
  /** The state is a warm one, so it may be stale. */
  readonly isCached: boolean;
  readonly cost: Cost;
}

/** What nothing costs. */
export const FREE: Cost = Object.freeze({ reads: 0, writes: 0 });

/** Brings aggregates back: from the warm cache, else from a snapshot and the commits after it, else from all commits. */
export class Rehydrator {
  readonly #store: IEventStore;
  readonly #platform: IPlatform;
  readonly #tracer: ITracer | undefined;
  readonly #cache: StateCache;

  constructor(store: IEventStore, platform: IPlatform, tracer: ITracer | undefined, cacheSize: number) {
    this.#store = store;
    this.#platform = platform;
    this.#tracer = tracer;
    this.#cache = new StateCache(cacheSize);
  }

  /** A fresh instance in the warm state, which may be stale; undefined where none is kept. Costs no read. */
  warm({ registration, address, key }: Place): Rehydrated | undefined {
    const cached = this.#cache.get(key, this.#platform.now());
    if (cached === undefined) return undefined;
    const aggregate = restore(registration.Type, address.id, cached.version, cached.state);
    return { aggregate, life: cached.life, isCached: true, cost: FREE };
  }

  /** A fresh instance in the latest state. Cost: one load (two where the snapshot has another shape). */
  async load(place: Place, trust: "snapshot" | "events" = "snapshot"): Promise<Rehydrated> {
    const { registration, address } = place;
    const loaded = await this.#read(registration, address, trust);
    const { aggregate, life, cost } = loaded;
    this.#tracer?.trace(() => ({ method: "load", ...address, version: aggregate.aggregateVersion, reads: cost.reads }));
    if (registration.plan.every > 0 && aggregate.aggregateVersion >= 0) {
      this.keep(place, aggregate.aggregateVersion, stateOf(aggregate).value, life);
    }
    return loaded;
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
  async isStale({ address, key }: Place, version: number, life: string | undefined): Promise<boolean> {
    const tail = await this.#store.load(address, { after: version, limit: 1 });
    const isStale = tail.commits.length > 0 || tail.life !== life;
    if (isStale) this.forget(key);
    return isStale;
  }

  /** Keeps a state for the next command, if its life is known; never an older version than the one that is kept. */
  keep({ registration, key }: Place, version: number, state: JsonObject, life: string | undefined): void {
    if (registration.plan.every === 0 || life === undefined) return;
    this.#cache.set(key, { version, state, life, cachedAt: this.#platform.now() });
  }

  /** Drops a warm state. */
  forget(key: string): void {
    this.#cache.delete(key);
  }

  async #read(registration: Registration, address: Address, trust: "snapshot" | "events"): Promise<Rehydrated> {
    const { Type, plan } = registration;
    const wantsSnapshot = plan.every > 0 && trust === "snapshot";
    const { snapshot, commits, life, cost = FREE } = await this.#store.load(address, wantsSnapshot ? undefined : { after: -1 });
    if (snapshot !== undefined && snapshot.schema !== plan.schema) {
      const whole = await this.#read(registration, address, "events");
      return { ...whole, cost: { reads: cost.reads + whole.cost.reads, writes: 0 } };
    }
    const aggregate = snapshot ? restore(Type, address.id, snapshot.version, snapshot.state) : create(Type, address.id);
    applyCommits(Type, aggregate, commits);
    return { aggregate, life: life === "" ? undefined : life, isCached: false, cost };
  }
}
