import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { defaultPlatform, type IEventStore, type IPlatform } from "../../core/index.ts";
import { AwkwardEventStore } from "./awkward-event-store.ts";
import { hasDynamoDb } from "./dynamodb-server.ts";
import { dynamoDbTable } from "./dynamodb-store.ts";
import { firestoreKinds } from "./firestore-kind.ts";
import { TurnedClock } from "./turned-clock.ts";

/** A store that is ready, and what gives back all that it took. */
export interface OpenStore {
  readonly store: IEventStore;
  readonly close: () => Promise<void>;
}

/** One kind of store that the examples and regressions run on. */
export interface StoreKind {
  readonly name: string;
  /** Makes an empty store that tells time by the platform. */
  readonly make: (platform: IPlatform) => Promise<OpenStore>;
}

/** Every store that keeps Evenant's promises; a new adapter joins here. */
export const STORES: readonly StoreKind[] = [
  { name: "memory", make: async (platform) => opened(memory(platform)) },
  {
    name: "awkward",
    make: async (platform) => opened(new AwkwardEventStore(memory(platform), { seed: 7, now: () => platform.now() })),
  },
  { name: "SQLite", make: sqlite },
  ...(hasDynamoDb() ? [{ name: "DynamoDB", make: dynamoDb }] : []),
  ...firestoreKinds(),
];

/** What a test on every store stands on; the store is one for the suite, so each test takes a tenant of its own. */
export interface Stage {
  readonly store: IEventStore;
  /** The store's clock. */
  readonly clock: TurnedClock;
  /** Makes the name of a tenant that nobody opened yet. */
  readonly newTenant: () => string;
}

/** Declares the same suite once for each store. */
export function onEveryStore(title: string, declare: (stage: Stage) => void): void {
  for (const kind of STORES) {
    describe(`${title} on the ${kind.name} store`, function () {
      this.timeout(60_000);
      const clock = new TurnedClock();
      let open: OpenStore | undefined;
      before(async () => {
        open = await kind.make(clock);
      });
      after(() => open?.close());
      declare({
        get store() {
          if (open === undefined) throw new Error("the store is made before the first test: use it inside a test");
          return open.store;
        },
        clock,
        newTenant: () => `t${defaultPlatform.newId()}`,
      });
    });
  }
}

function memory(platform: IPlatform): MemoryEventStore {
  return new MemoryEventStore({ now: () => platform.now() });
}

function opened(store: IEventStore): OpenStore {
  return { store, close: () => store.close() };
}

async function sqlite(platform: IPlatform): Promise<OpenStore> {
  const folder = await mkdtemp(join(tmpdir(), "evenant-"));
  const store = new SqliteEventStore({ path: join(folder, "store.db"), now: () => platform.now() });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function dynamoDb(platform: IPlatform): Promise<OpenStore> {
  const table = await dynamoDbTable();
  const store = table.store({ now: () => platform.now() });
  return {
    store,
    close: async () => {
      await store.close();
      table.close();
    },
  };
}
