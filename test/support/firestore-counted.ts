import { FieldValue, type Firestore } from "@google-cloud/firestore";
import { FirestoreEventStore, type FirestoreOptions } from "../../adapters/firestore/index.ts";
import { firestoreClient, newProject } from "./firestore-store.ts";

/** What a store asked of the database, in documents as they are billed, and how often it waited for an answer. */
export interface Counts {
  reads: number;
  writes: number;
  trips: number;
  /** Writes of batches that move refs from a full log to pages: once for 64 commits, by whoever notices. */
  moves: number;
}

/** A store whose requests are counted. */
export interface CountedStore {
  readonly store: FirestoreEventStore;
  readonly client: Firestore;
  readonly projectId: string;
  /** What an action cost. */
  readonly costOf: (action: () => Promise<unknown>) => Promise<Counts>;
  readonly close: () => Promise<void>;
}

/** A store on the emulator whose every request passes a counter; nothing is done by chance unless `random` is given. */
export async function countedStore(options: FirestoreOptions = {}, projectId = newProject()): Promise<CountedStore> {
  const client = await firestoreClient(projectId);
  const counts: Counts = { reads: 0, writes: 0, trips: 0, moves: 0 };
  const store = new FirestoreEventStore(counting(client, counts), {
    fieldValue: FieldValue,
    random: () => Number.POSITIVE_INFINITY,
    ...options,
  });
  return {
    store,
    client,
    projectId,
    costOf: async (action) => {
      const before = { ...counts };
      await action();
      const { reads, writes, trips, moves } = counts;
      return {
        reads: reads - before.reads,
        writes: writes - before.writes,
        trips: trips - before.trips,
        moves: moves - before.moves,
      };
    },
    close: async () => {
      await store.close();
      await client.terminate();
    },
  };
}

const PAGE_PATH = /\/log\/[a-p][0-9]+$/;

/** The same client, with every document that is read or written noted. */
function counting(client: Firestore, counts: Counts): Firestore {
  return wrap(client, {
    getAll: (...refs: { path?: string }[]) => {
      counts.trips += 1;
      counts.reads += refs.filter(({ path }) => path !== undefined).length;
      return client.getAll(...(refs as never[]));
    },
    collection: (path: string) => countedQuery(client.collection(path), counts),
    batch: () => {
      const batch = client.batch();
      let writes = 0;
      let isMove = false;
      const noted =
        (kind: "create" | "set" | "update" | "delete") =>
        (...given: unknown[]) => {
          writes += 1;
          isMove ||= kind === "create" && PAGE_PATH.test((given[0] as { path: string }).path);
          (batch[kind] as (...given: unknown[]) => unknown)(...given);
        };
      return wrap(batch, {
        create: noted("create"),
        set: noted("set"),
        update: noted("update"),
        delete: noted("delete"),
        commit: () => {
          counts.trips += isMove ? 0 : 1;
          counts[isMove ? "moves" : "writes"] += writes;
          return batch.commit();
        },
      });
    },
    runTransaction: () => {
      throw new Error("a transaction is counted nowhere: this path must not use one");
    },
  });
}

function countedQuery<Q extends object>(query: Q, counts: Counts): Q {
  const target = query as Record<string, (...given: unknown[]) => unknown>;
  const chained = ["orderBy", "where", "startAt", "startAfter", "endBefore", "select", "limit"].map((name) => [
    name,
    (...given: unknown[]) => countedQuery(target[name]!.apply(query, given) as object, counts),
  ]);
  return wrap(query, {
    ...Object.fromEntries(chained),
    get: async () => {
      counts.trips += 1;
      const found = (await target.get!.call(query)) as { readonly docs: readonly unknown[] };
      counts.reads += Math.max(1, found.docs.length);
      return found;
    },
  });
}

/** An object with some of its methods replaced. */
function wrap<T extends object>(target: T, replaced: Record<string, unknown>): T {
  return new Proxy(target, {
    get(_, name) {
      if (typeof name === "string" && Object.hasOwn(replaced, name)) return replaced[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
