import type { IEventStore } from "../../core/index.ts";
import type { TurnedClock } from "../support/turned-clock.ts";

/** What a clause stands on: a store, a tenant of its own, and a second tenant with the same ids that it must not touch. */
export interface Ground {
  /** Every call for `tenant` first gives `evilTwin` the same ids, threads, handlers, collections and commandIds. */
  readonly store: IEventStore;
  /** Open and empty, unless the clause asked for an unopened one. */
  readonly tenant: string;
  /** Compared with what the kit wrote there when the clause ends; reading it is allowed. */
  readonly evilTwin: string;
  /** The store's clock. */
  readonly clock: TurnedClock;
  /** Makes the name of another tenant that nobody opened. */
  readonly newTenant: () => string;
}

/** One promise of a store: a sentence and a check that fails where it is broken. */
export interface Clause {
  readonly title: string;
  /** The clause's tenant is left absent. */
  readonly unopened?: true;
  readonly check: (ground: Ground) => Promise<void>;
}

/** The clauses about one part of the port. */
export interface Facet {
  readonly name: string;
  readonly clauses: readonly Clause[];
}
