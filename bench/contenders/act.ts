import type { Contender, Engine } from "../contender.ts";

process.env.LOG_LEVEL = "fatal";
process.env.SLEEP_MS = "0"; // its in-memory store otherwise sleeps 100 ms at each call
const { InMemoryCache, InMemoryStore, act, projection, state } = await import("@rotorsoft/act");
const { z } = await import("zod");

const NumbersAdded = z.object({ number1: z.number(), number2: z.number() });
const numbers = { number1: 1, number2: 2 };
const actor = { id: "user1", name: "actor 1" };

function engineOn(store: InstanceType<typeof InMemoryStore>): Engine {
  let handled = 0;
  const Calculator = state({ Calculator: z.object({ sum: z.number() }) })
    .init(() => ({ sum: 0 }))
    .emits({ NumbersAdded })
    .patch({
      NumbersAdded: ({ data }: { data: typeof numbers }, { sum }: { sum: number }) => ({
        sum: sum + data.number1 + data.number2,
      }),
    })
    .on({ AddNumbers: NumbersAdded })
    .emit((action: typeof numbers) => ["NumbersAdded", action])
    .build();
  const Counter = projection("counter")
    .on({ NumbersAdded })
    .do(async function count() {
      handled++;
    })
    .build();
  const app = act()
    .withState(Calculator)
    .withProjection(Counter)
    .build({ scoped: { store, cache: new InMemoryCache() } });
  return {
    command: async (aggregateId) => {
      await app.do("AddNumbers", { stream: aggregateId, actor }, numbers);
    },
    sum: async (aggregateId) => (await app.load(Calculator, aggregateId)).state.sum,
    seed: async (aggregateId, events) => {
      const messages = Array.from({ length: events }, () => ({ name: "NumbersAdded", data: numbers }));
      await store.commit(aggregateId, messages, { correlation: "seed", causation: {} });
    },
    replay: async () => {
      const settled = new Promise((resolve) => app.on("settled", resolve));
      app.settle({ debounceMs: 0, eventLimit: 1000, correlate: { after: -1, limit: 1000 } });
      await settled;
      return handled;
    },
    rebuild: async () => {
      const sums: Record<string, number> = {};
      const Sums = projection("sums")
        .on({ NumbersAdded })
        .do(async function sum({ stream, data }: { stream: string; data: typeof numbers }) {
          sums[stream] = (sums[stream] ?? 0) + data.number1 + data.number2;
        })
        .build();
      const summing = act()
        .withState(Calculator)
        .withProjection(Sums)
        .build({ scoped: { store, cache: new InMemoryCache() } });
      return async () => {
        const settled = new Promise((resolve) => summing.on("settled", resolve));
        summing.settle({ debounceMs: 0, eventLimit: 1000, correlate: { after: -1, limit: 1000 } });
        await settled;
        return sums;
      };
    },
    close: async () => {
      await app.shutdown();
      await store.dispose();
    },
  };
}

function oneAtATime(engine: Engine): Engine {
  let last: Promise<unknown> = Promise.resolve();
  const command = (aggregateId: string): Promise<unknown> => {
    const done = last.then(() => engine.command(aggregateId));
    last = done.catch(() => {});
    return done;
  };
  return { ...engine, command };
}

export const contender: Contender = {
  kind: "peer",
  packages: ["@rotorsoft/act", "@rotorsoft/act-sqlite", "@libsql/client"],
  notes: {
    rebuild: "its views are the user's: here an object",
    "memory-1": "its in-memory store waits for a timer of 0 ms at each call",
    "memory-32": "its in-memory store waits for a timer of 0 ms at each call",
    "sqlite-32": "sent one at a time: 32 in flight end in SQLITE_BUSY",
  },
  memory: async () => engineOn(new InMemoryStore()),
  sqlite: async (path) => {
    const { SqliteStore } = await import("@rotorsoft/act-sqlite");
    const store = new SqliteStore({ url: `file:${path}` });
    await store.seed();
    return oneAtATime(engineOn(store));
  },
};
