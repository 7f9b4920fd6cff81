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

/** An aggregate as the store holds it, and what asking cost. */
export interface Rehydrated {
  readonly aggregate: AnyAggregate;
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
  warm({ registration, address, key }: Place): AnyAggregate | undefined {
    const cached = this.#cache.get(key, this.#platform.now());
    return cached && restore(registration.Type, address.id, cached.version, cached.state);
  }

  /** A fresh instance in the latest state. Cost: one load (two where the snapshot has another shape). */
  async load(place: Place, trust: "snapshot" | "events" = "snapshot"): Promise<Rehydrated> {
    const { registration, address } = place;
    const loaded = await this.#read(registration, address, trust);
    const { aggregate, cost } = loaded;
    this.#tracer?.trace(() => ({ method: "load", ...address, version: aggregate.aggregateVersion, reads: cost.reads }));
    if (registration.plan.every > 0 && aggregate.aggregateVersion >= 0) {
      this.keep(place, aggregate.aggregateVersion, stateOf(aggregate).value);
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

  /** Whether the store holds commits after this version; then the warm state is dropped. Cost: one read. */
  async isStale({ address, key }: Place, version: number): Promise<boolean> {
    const { commits } = await this.#store.load(address, { after: version, limit: 1 });
    if (commits.length > 0) this.forget(key);
    return commits.length > 0;
  }

  /** Keeps a state for the next command; never an older version than the one that is kept. */
  keep({ registration, key }: Place, version: number, state: JsonObject): void {
    if (registration.plan.every > 0) this.#cache.set(key, { version, state, cachedAt: this.#platform.now() });
  }

  /** Drops a warm state. */
  forget(key: string): void {
    this.#cache.delete(key);
  }

  async #read(registration: Registration, address: Address, trust: "snapshot" | "events"): Promise<Rehydrated> {
    const { Type, plan } = registration;
    const wantsSnapshot = plan.every > 0 && trust === "snapshot";
    const { snapshot, commits, cost = FREE } = await this.#store.load(address, wantsSnapshot ? undefined : { after: -1 });
    if (snapshot !== undefined && snapshot.schema !== plan.schema) {
      const whole = await this.#read(registration, address, "events");
      return { aggregate: whole.aggregate, cost: { reads: cost.reads + whole.cost.reads, writes: 0 } };
    }
    const aggregate = snapshot ? restore(Type, address.id, snapshot.version, snapshot.state) : create(Type, address.id);
    applyCommits(Type, aggregate, commits);
    return { aggregate, cost };
  }
}
