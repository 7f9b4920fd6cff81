import { type Address, keyOf } from "../model/address.ts";
import type { AnyAggregate } from "../model/aggregate.ts";
import { applyCommits, create, restore, stateOf } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import type { Cost, IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { StateCache } from "./cache.ts";
import type { Registration } from "./registry.ts";

/** An aggregate brought back, and whether the store was asked: only then is its state known to be the latest. */
export interface Rehydrated {
  readonly aggregate: AnyAggregate;
  readonly isCached: boolean;
  readonly cost: Cost;
}

/** How far to trust what is kept beside the events. */
export type Trust = "cache" | "snapshot" | "events";

const FREE: Cost = Object.freeze({ reads: 0, writes: 0 });

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

  /** A fresh instance, the caller's own. Cost: none from the cache, else one load (two where the snapshot has another shape). */
  async load(registration: Registration, address: Address, trust: Trust = "cache"): Promise<Rehydrated> {
    if (trust === "cache") {
      const cached = this.#cache.get(keyOf(address), this.#platform.now());
      if (cached !== undefined) {
        const aggregate = restore(registration.Type, address.id, cached.version, cached.state);
        return { aggregate, isCached: true, cost: FREE };
      }
    }
    const { aggregate, cost } = await this.#read(registration, address, trust);
    this.#tracer?.trace(() => ({ method: "load", ...address, version: aggregate.aggregateVersion, reads: cost.reads }));
    if (registration.plan.every > 0 && aggregate.aggregateVersion >= 0) {
      this.keep(registration, address, aggregate.aggregateVersion, stateOf(aggregate).value);
    }
    return { aggregate, isCached: false, cost };
  }

  /** An aggregate that is known to have no commit. Costs nothing. */
  create(registration: Registration, id: string): AnyAggregate {
    return create(registration.Type, id);
  }

  /** The aggregate as it was after a version; folded from its events. */
  async loadAt(registration: Registration, address: Address, version: number): Promise<AnyAggregate> {
    const aggregate = create(registration.Type, address.id);
    if (version < 0) return aggregate;
    const { commits } = await this.#store.load(address, { upTo: version });
    applyCommits(registration.Type, aggregate, commits);
    return aggregate;
  }

  /** Whether the store holds commits after this version; then the cached state is dropped. Cost: one read. */
  async isStale(address: Address, version: number): Promise<boolean> {
    const { commits } = await this.#store.load(address, { after: version, limit: 1 });
    if (commits.length > 0) this.forget(address);
    return commits.length > 0;
  }

  /** Keeps a state for the next command; never an older version than the one that is kept. */
  keep(registration: Registration, address: Address, version: number, state: JsonObject): void {
    if (registration.plan.every > 0) this.#cache.set(keyOf(address), { version, state, cachedAt: this.#platform.now() });
  }

  forget(address: Address): void {
    this.#cache.delete(keyOf(address));
  }

  async #read(registration: Registration, address: Address, trust: Trust): Promise<{ aggregate: AnyAggregate; cost: Cost }> {
    const { Type, plan } = registration;
    const wantsSnapshot = plan.every > 0 && trust !== "events";
    const first = await this.#store.load(address, wantsSnapshot ? undefined : { after: -1 });
    const { snapshot } = first;
    if (snapshot === undefined || snapshot.schema === plan.schema) {
      const aggregate =
        snapshot === undefined ? create(Type, address.id) : restore(Type, address.id, snapshot.version, snapshot.state);
      applyCommits(Type, aggregate, first.commits);
      return { aggregate, cost: first.cost ?? FREE };
    }
    const whole = await this.#store.load(address, { after: -1 });
    const aggregate = create(Type, address.id);
    applyCommits(Type, aggregate, whole.commits);
    return { aggregate, cost: { reads: (first.cost?.reads ?? 0) + (whole.cost?.reads ?? 0), writes: 0 } };
  }
}
