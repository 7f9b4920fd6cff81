import { MemoryEventStore } from "../adapters/memory/index.ts";
import { SqliteEventStore } from "../adapters/sqlite/index.ts";
import type { IEventStore, IViews } from "../core/index.ts";
import { DelegatingStore } from "../test/support/delegating-store.ts";
import { Meter } from "../test/support/dynamodb-meter.ts";
import { dynamoDbTable } from "../test/support/dynamodb-store.ts";
import { countedStore } from "../test/support/firestore-counted.ts";
import { withDatabaseFile } from "./scratch.ts";

/** A store whose operations are counted. */
export interface ReaderStore {
  readonly store: IEventStore;
  /** How many operations the database did for an action. */
  readonly operationsOf: (action: () => Promise<unknown>) => Promise<number>;
}

/** Runs `use` on a new store of each kind, by its name. */
export const readerStores: Readonly<Record<string, (use: (store: ReaderStore) => Promise<void>) => Promise<void>>> = {
  memory: async (use) => {
    const store = new MemoryEventStore();
    await use(new CountingStore(store).facts);
    await store.close();
  },
  SQLite: (use) =>
    withDatabaseFile(async (path) => {
      const store = new SqliteEventStore({ path });
      await use(new CountingStore(store).facts);
      await store.close();
    }),
  DynamoDB: async (use) => {
    const table = await dynamoDbTable();
    const meter = new Meter();
    const store = table.store({}, (document) => meter.through(document));
    const operationsOf = async (action: () => Promise<unknown>) => {
      meter.reset();
      await action();
      return meter.total.reads + meter.total.writes;
    };
    await use({ store, operationsOf });
    await store.close();
    table.close();
  },
  Firestore: async (use) => {
    // The emulator is slow to answer at first, and more so on a busy machine.
    const { store, costOf, close } = await countedStore({ deadline: 60_000 });
    const operationsOf = async (action: () => Promise<unknown>) => {
      const { reads, writes } = await costOf(action);
      return reads + writes;
    };
    await use({ store, operationsOf });
    await close();
  },
};

/** Counts what embedded stores do: commits and views read, and views and cursors written. */
class CountingStore extends DelegatingStore {
  #operations = 0;

  get facts(): ReaderStore {
    return {
      store: this,
      operationsOf: async (action) => {
        this.#operations = 0;
        await action();
        return this.#operations;
      },
    };
  }

  override async read(...args: Parameters<IEventStore["read"]>) {
    const page = await this.inner.read(...args);
    this.#operations += page.commits.length;
    return page;
  }

  override async peek(...args: Parameters<IEventStore["peek"]>) {
    this.#operations += 2;
    return this.inner.peek(...args);
  }

  override async acquire(...args: Parameters<IEventStore["acquire"]>) {
    this.#operations += 1;
    return this.inner.acquire(...args);
  }

  override async commitCursors(...args: Parameters<IEventStore["commitCursors"]>) {
    this.#operations += 1 + (args[1].views?.length ?? 0);
    return this.inner.commitCursors(...args);
  }

  override views(tenant: string, collection: string): IViews {
    const views = this.inner.views(tenant, collection);
    return {
      get: (ids) => {
        this.#operations += ids.length;
        return views.get(ids);
      },
      list: async (options) => {
        const page = await views.list(options);
        this.#operations += page.views.length;
        return page;
      },
    };
  }
}
