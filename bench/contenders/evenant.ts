import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import {
  Actor,
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EventOf,
  type IEventStore,
  Projection,
  type ProjectionEvents,
  StreamReader,
} from "../../core/index.ts";
import type { Contender, Engine } from "../contender.ts";

type Numbers = { number1: number; number2: number };

class Calculator extends Aggregate<{ NumbersAdded: Numbers }> {
  static readonly path = "/calculators";
  static readonly access = { AddNumbers: ["user"] } as const;
  sum = 0;

  get commands() {
    return { AddNumbers: async (context: CommandContext<Calculator, Numbers>) => context.push("NumbersAdded") };
  }

  get events() {
    return {
      NumbersAdded: (event: EventOf<Calculator, "NumbersAdded">) => {
        this.sum += event.payload.number1 + event.payload.number2;
      },
    };
  }
}

class Sums extends Projection<{ sum: number }, { NumbersAdded: Numbers }> {
  readonly collection = "sums";
  readonly events: ProjectionEvents<{ sum: number }, { NumbersAdded: Numbers }> = {
    NumbersAdded: {
      id: (_event, commit) => commit.id,
      next: (view, { payload }) => ({ sum: (view?.sum ?? 0) + payload.number1 + payload.number2 }),
    },
  };
}

const actor = new Actor({ id: "user1", name: "actor 1", tenant: "tenant1", roles: ["manager", "user"] });

function engineOn(store: IEventStore): Engine {
  const handler = new CommandHandler(store, [Calculator]);
  const command = (aggregateId: string) => handler.command(actor, "AddNumbers", { aggregateId, number1: 1, number2: 2 });
  return {
    command,
    sum: async (aggregateId) => (await handler.load(actor, Calculator, aggregateId))?.sum ?? 0,
    seed: async (aggregateId, events) => {
      for (let count = 0; count < events; count++) await command(aggregateId);
    },
    replay: async () => {
      let handled = 0;
      const reader = new StreamReader(store);
      const counter = {
        name: "counter",
        events: {
          NumbersAdded: async () => {
            handled++;
          },
        },
      };
      for (let more = true; more; ) ({ more } = await reader.poll("tenant1", "replay", [counter], { limit: 1_000 }));
      return handled;
    },
    rebuild: async () => {
      const reader = new StreamReader(store);
      const sums = new Sums();
      for (let more = true; more; ) ({ more } = await reader.poll("tenant1", "sums", [sums], { limit: 1_000 }));
      return async () => {
        await reader.rebuild("tenant1", "sums", sums, { limit: 1_000 });
        const { views } = await reader.views("tenant1", sums).list({ limit: 1_000 });
        return Object.fromEntries(views.map(({ id, value }) => [id, value.sum]));
      };
    },
    close: () => store.close(),
  };
}

export const contender: Contender = {
  kind: "ours",
  packages: [],
  notes: { rebuild: "beside live views, in the same store as the events, with its cursor; then switched over" },
  memory: async () => engineOn(new MemoryEventStore()),
  sqlite: async (path) => engineOn(new SqliteEventStore({ path })),
};
