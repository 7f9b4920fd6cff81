import type { IEventStore } from "../../../core/index.ts";

/** A store that breaks one promise on purpose: the kit is tested by its finding out. */
export interface Mutant {
  /** What the store does wrong. */
  readonly title: string;
  readonly make: (inner: IEventStore) => IEventStore;
}
