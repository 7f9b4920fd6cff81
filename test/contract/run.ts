import type { IEventStore } from "../../core/index.ts";
import { StrictStore } from "../support/strict-store.ts";
import type { TurnedClock } from "../support/turned-clock.ts";
import type { Clause } from "./clause.ts";
import { EvilTwin } from "./evil-twin.ts";
import { MirroredStore } from "./mirrored-store.ts";

/** How a twin's name resembles the tenant's: each is a way for keys to be mistaken for one another. */
const RESEMBLANCES: readonly ((tenant: string) => readonly [tenant: string, evilTwin: string])[] = [
  (name) => [name, `${name}-twin`],
  (name) => [`${name}-twin`, name],
  (name) => [`${name}-a`, `${name}-A`],
  (name) => [`${name}_`, `${name}-`],
];

/** Checks clauses on one store, each with a tenant and an evil twin that nobody used before. */
export class Run {
  readonly #store: IEventStore;
  readonly #clock: TurnedClock;
  readonly #prefix: string;
  #count = 0;

  /** `prefix` keeps runs on one database apart. */
  constructor(store: IEventStore, clock: TurnedClock, prefix: string) {
    this.#store = store;
    this.#clock = clock;
    this.#prefix = prefix;
  }

  /** Fails where the store breaks the clause or touches the twin meanwhile, or the engine asks what no store need answer. */
  async check(clause: Clause): Promise<void> {
    const [tenant, evilTwin] = RESEMBLANCES[this.#count % RESEMBLANCES.length]!(this.#newName());
    const twin = new EvilTwin(this.#store, evilTwin, this.#clock);
    if (clause.unopened === undefined) await this.#store.open(tenant);
    await this.#store.open(evilTwin);
    const store = new MirroredStore(new StrictStore(this.#store), tenant, twin);
    await clause.check({ store, tenant, evilTwin, clock: this.#clock, newTenant: () => this.#newName() });
    await twin.check();
  }

  #newName(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#count}`;
  }
}
