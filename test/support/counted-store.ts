import { MemoryEventStore } from "../../adapters/memory/index.ts";
import type { IEventStore, PendingCommit } from "../../core/index.ts";
import { intercepted } from "./intercepted-store.ts";

/** A memory store that notes what it is asked. */
export interface CountedStore {
  readonly store: IEventStore;
  /** The ids of the aggregates that were loaded. */
  readonly loads: string[];
  /** The groups that were committed. */
  readonly groups: (readonly PendingCommit[])[];
  /** Forgets what was noted. */
  readonly reset: () => void;
}

/** Makes a memory store that notes its loads and commits, over an inner one where one is given. */
export function countedStore(inner: IEventStore = new MemoryEventStore()): CountedStore {
  const loads: string[] = [];
  const groups: (readonly PendingCommit[])[] = [];
  const store = intercepted(inner, {
    load: (address, options) => {
      loads.push(address.id);
      return inner.load(address, options);
    },
    commit: (tenant, pending) => {
      groups.push(pending);
      return inner.commit(tenant, pending);
    },
  });
  const reset = () => {
    loads.length = 0;
    groups.length = 0;
  };
  return { store, loads, groups, reset };
}
