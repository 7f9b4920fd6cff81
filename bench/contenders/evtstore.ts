import { createRequire } from "node:module";
import type { Contender, Engine } from "../contender.ts";

// Required and not imported: the package carries its TypeScript sources, which the type check would take for ours.
const require = createRequire(import.meta.url);
const { createAggregate, createCommands, createDomain } = require("evtstore");
const { createProvider: memoryProvider } = require("evtstore/provider/memory");

type Numbers = { number1: number; number2: number };
type State = { sum: number };

function engineOn(provider: ReturnType<typeof memoryProvider>, close: () => Promise<void>): Engine {
  const calculator = createAggregate({
    stream: "calculators",
    create: (): State => ({ sum: 0 }),
    fold: (event: Numbers, state: State) => ({ sum: state.sum + event.number1 + event.number2 }),
  });
  const { domain, createHandler } = createDomain({ provider, useCache: true }, { calculator });
  const commands = createCommands(domain.calculator, {
    AddNumbers: async ({ number1, number2 }: Numbers) => ({ type: "NumbersAdded", number1, number2 }),
  });
  return {
    command: (aggregateId) => commands.AddNumbers(aggregateId, { number1: 1, number2: 2 }),
    sum: async (aggregateId) => (await domain.calculator.getAggregate(aggregateId)).sum,
    seed: async (aggregateId, events) => {
      const { version } = await domain.calculator.getAggregate(aggregateId);
      const added = Array.from({ length: events }, () => ({ type: "NumbersAdded", number1: 1, number2: 2 }));
      await provider.append(
        "calculators",
        aggregateId,
        version + 1,
        provider.createEvents("calculators", aggregateId, version + 1, added),
      );
    },
    replay: async () => {
      let handled = 0;
      const handler = createHandler("counter", ["calculators"]);
      handler.handle("calculators", "NumbersAdded", async () => void handled++);
      await handler.runOnce();
      return handled;
    },
    rebuild: async () => {
      const sums: Record<string, number> = {};
      const handler = createHandler("sums", ["calculators"]);
      handler.handle("calculators", "NumbersAdded", async (id: string, event: Numbers) => {
        sums[id] = (sums[id] ?? 0) + event.number1 + event.number2;
      });
      return async () => {
        await handler.runOnce();
        return sums;
      };
    },
    close,
  };
}

export const contender: Contender = {
  kind: "peer",
  packages: ["evtstore", "knex", "better-sqlite3"],
  notes: {
    rebuild: "its views are the user's: here an object",
    "same-32": "stored under one and the same version: its memory provider waits between the check and the write",
  },
  memory: async () => engineOn(memoryProvider(), async () => {}),
  sqlite: async (path) => {
    const { default: knex } = await import("knex");
    const { createProvider, migrate } = require("evtstore/provider/knex");
    const client = knex({ client: "better-sqlite3", connection: { filename: path }, useNullAsDefault: true });
    await client.raw("PRAGMA journal_mode = WAL");
    await client.raw("PRAGMA synchronous = FULL");
    await migrate({ client, events: "events", bookmarks: "bookmarks" });
    const provider = createProvider({
      limit: 1000,
      events: () => client.table("events"),
      bookmarks: () => client.table("bookmarks"),
    });
    return engineOn(provider, () => client.destroy());
  },
};
