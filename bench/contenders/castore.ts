import { EventEmitter } from "node:events";
import { Command, EventStore, EventType, NotificationMessageBus, tuple } from "@castore/core";
import { InMemoryEventStorageAdapter } from "@castore/event-storage-adapter-in-memory";
import { pourEventStoreEvents } from "@castore/lib-dam";
import { InMemoryMessageBusAdapter } from "@castore/message-bus-adapter-in-memory";
import type { Contender, Engine } from "../contender.ts";

type Numbers = { number1: number; number2: number };
type State = { aggregateId: string; version: number; sum: number };
type Detail = { aggregateId: string; version: number; type: string; payload: Numbers };

/** The calculator on any of its storage adapters. */
export function calculatorsOn(eventStorageAdapter: object): Required<Omit<Engine, "rebuild">> {
  const calculators = new EventStore({
    eventStoreId: "CALCULATORS",
    eventTypes: [new EventType({ type: "NUMBERS_ADDED" })],
    reducer: (state: State | undefined, event: Detail): State => ({
      aggregateId: event.aggregateId,
      version: event.version,
      sum: (state?.sum ?? 0) + event.payload.number1 + event.payload.number2,
    }),
    eventStorageAdapter,
  });

  const addNumbers = new Command({
    commandId: "ADD_NUMBERS",
    requiredEventStores: tuple(calculators),
    handler: async ({ aggregateId, ...payload }: Numbers & { aggregateId: string }, [store]: [typeof calculators]) => {
      const { aggregate } = await store.getAggregate(aggregateId);
      const event = { aggregateId, version: (aggregate?.version ?? 0) + 1, type: "NUMBERS_ADDED", payload };
      await store.pushEvent(event, { prevAggregate: aggregate });
    },
  });

  return {
    command: (aggregateId) => addNumbers.handler({ aggregateId, number1: 1, number2: 2 }, [calculators]),
    sum: async (aggregateId) => (await calculators.getAggregate(aggregateId)).aggregate?.sum ?? 0,
    seed: async (aggregateId, events) => {
      const { aggregate } = await calculators.getAggregate(aggregateId);
      const first = (aggregate?.version ?? 0) + 1;
      for (let version = first; version < first + events; version++) {
        await calculators.pushEvent({ aggregateId, version, type: "NUMBERS_ADDED", payload: { number1: 1, number2: 2 } });
      }
    },
    replay: async () => {
      let handled = 0;
      const bus = new NotificationMessageBus({ messageBusId: "REPLAY", sourceEventStores: [calculators] });
      const adapter = InMemoryMessageBusAdapter.attachTo(bus, { eventEmitter: new EventEmitter() });
      adapter.on({ onReplay: true }, async () => {
        handled++;
      });
      await pourEventStoreEvents({ eventStore: calculators, messageChannel: bus });
      return handled;
    },
    close: async () => {},
  };
}

export const contender: Contender = {
  kind: "peer",
  packages: ["@castore/core", "@castore/event-storage-adapter-in-memory", "@castore/lib-dam"],
  notes: {
    replay: "lib-dam pours the events into the in-memory message bus",
    "sqlite-32": "it has no SQLite adapter",
  },
  memory: async () => calculatorsOn(new InMemoryEventStorageAdapter()),
};
