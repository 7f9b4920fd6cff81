import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Actor, type AnyHandler, CommandHandler, type IEventStore } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { compose, type Service } from "../../functions/composition.ts";

/** A backend without HTTP, whose handlers note what they get. */
export interface Recorded {
  readonly store: IEventStore;
  readonly service: Service;
  /** `tenant/aggregate/version` of each event, in the order in which the thread's handler finished them. */
  readonly seen: Readonly<Record<string, string[]>>;
  /** Lets a tenant's calculator add, some times. */
  add(tenant: string, id: string, times?: number): Promise<void>;
}

/** Makes a backend with a recording handler on each of some threads; `before` runs ahead of each event and may wait or throw. */
export function recorded(
  threads: readonly string[] = ["main"],
  before: (tenant: string, thread: string) => Promise<void> | void = () => {},
  store: IEventStore = new MemoryEventStore(),
): Recorded {
  const seen: Record<string, string[]> = {};
  const handlers: Record<string, readonly AnyHandler[]> = {};
  for (const thread of threads) {
    const notes: string[] = [];
    seen[thread] = notes;
    handlers[thread] = [
      {
        name: "recorder",
        events: {
          NumbersAdded: async (tenant, _event, commit) => {
            await before(tenant, thread);
            notes.push(`${tenant}/${commit.id}/${commit.version}`);
          },
        },
      },
    ];
  }
  const service = compose(store, { aggregates: [SummingCalculator], threads: handlers });
  const writer = new CommandHandler(store, [SummingCalculator]);
  return {
    store,
    service,
    seen,
    add: async (tenant, id, times = 1) => {
      const actor = new Actor({ id: "ada", tenant, roles: ["user"] });
      for (let count = 0; count < times; count++) {
        await writer.command(actor, "AddNumbers", { aggregateId: id, number1: 1, number2: 1 });
      }
    },
  };
}
