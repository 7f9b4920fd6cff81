import { CommandHandler, getInMemoryEventStore, inMemoryReactor } from "@event-driven-io/emmett";
import type { Contender, Engine } from "../contender.ts";

type NumbersAdded = { type: "NumbersAdded"; data: { number1: number; number2: number } };
type State = { sum: number };

const initialState = (): State => ({ sum: 0 });
const evolve = (state: State, { data }: NumbersAdded): State => ({ sum: state.sum + data.number1 + data.number2 });
const decide = (_state: State): NumbersAdded => ({ type: "NumbersAdded", data: { number1: 1, number2: 2 } });
const handle = CommandHandler({ evolve, initialState });

function engineOn(store: ReturnType<typeof getInMemoryEventStore>): Engine {
  const streams = new Set<string>();
  return {
    command: (aggregateId) => handle(store, `calculator-${aggregateId}`, decide),
    sum: async (aggregateId) => {
      const { state } = await store.aggregateStream(`calculator-${aggregateId}`, { evolve, initialState });
      return state.sum;
    },
    seed: async (aggregateId, events) => {
      streams.add(`calculator-${aggregateId}`);
      await store.appendToStream(`calculator-${aggregateId}`, Array.from({ length: events }, decide));
    },
    replay: async () => {
      const messages = [];
      for (const stream of streams) messages.push(...(await store.readStream(stream)).events);
      messages.sort((a, b) => Number(a.metadata.globalPosition - b.metadata.globalPosition));
      let handled = 0;
      const reactor = inMemoryReactor({ processorId: "counter", eachMessage: async () => void handled++ });
      await reactor.start({});
      await reactor.handle(messages, {});
      return handled;
    },
    rebuild: async () => {
      const sums: Record<string, number> = {};
      return async () => {
        const messages = [];
        for (const stream of streams) messages.push(...(await store.readStream(stream)).events);
        messages.sort((a, b) => Number(a.metadata.globalPosition - b.metadata.globalPosition));
        const reactor = inMemoryReactor({
          processorId: "sums",
          eachMessage: async ({ data, metadata }: NumbersAdded & { metadata: { streamName: string } }) => {
            const id = metadata.streamName;
            sums[id] = (sums[id] ?? 0) + data.number1 + data.number2;
          },
        });
        await reactor.start({});
        await reactor.handle(messages, {});
        return sums;
      };
    },
    close: async () => {},
  };
}

export const contender: Contender = {
  kind: "peer",
  packages: ["@event-driven-io/emmett", "@event-driven-io/emmett-sqlite", "sqlite3"],
  notes: {
    rebuild: "as in the replay; its views are the user's: here an object",
    replay: "the in-memory store has no consumer: its streams are read one by one, sorted, and given to the in-memory reactor",
    "sqlite-32":
      "on one shared connection, which acknowledges commands before their transaction commits; with its default pool, 32 in flight end in SQLITE_BUSY",
  },
  memory: async () => engineOn(getInMemoryEventStore()),
  sqlite: async (path) => {
    const { getSQLiteEventStore, sqliteConnection } = await import("@event-driven-io/emmett-sqlite");
    const connection = sqliteConnection({ fileName: path });
    const store = getSQLiteEventStore({ fileName: path, connectionOptions: { singleton: true, connection } });
    await store.schema.migrate();
    return engineOn(store);
  },
};
