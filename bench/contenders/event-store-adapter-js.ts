import { randomUUID } from "node:crypto";
import eventStoreAdapter from "event-store-adapter-js";
import type { Contender, Engine } from "../contender.ts";

const { EventStoreFactory } = eventStoreAdapter;

class CalculatorId {
  readonly typeName = "Calculator";
  readonly value: string;
  constructor(value: string) {
    this.value = value;
  }
  asString(): string {
    return `${this.typeName}-${this.value}`;
  }
}

type NumbersAdded = ReturnType<typeof numbersAdded>;
function numbersAdded(aggregateId: CalculatorId, sequenceNumber: number) {
  const facts = { id: randomUUID(), aggregateId, sequenceNumber, occurredAt: new Date(), isCreated: sequenceNumber === 1 };
  return { typeName: "NumbersAdded", ...facts, number1: 1, number2: 2 };
}

class Calculator {
  readonly typeName = "Calculator";
  readonly id: CalculatorId;
  readonly sum: number;
  readonly sequenceNumber: number;
  readonly version: number;
  constructor(id: CalculatorId, sum: number, sequenceNumber: number, version: number) {
    this.id = id;
    this.sum = sum;
    this.sequenceNumber = sequenceNumber;
    this.version = version;
  }
  withVersion(version: number): Calculator {
    return new Calculator(this.id, this.sum, this.sequenceNumber, version);
  }
  updateVersion(next: (version: number) => number): Calculator {
    return this.withVersion(next(this.version));
  }
  apply(event: NumbersAdded): Calculator {
    return new Calculator(this.id, this.sum + event.number1 + event.number2, event.sequenceNumber, this.version);
  }
}

async function open(): Promise<Engine> {
  const store = EventStoreFactory.ofMemory();
  const find = async (id: CalculatorId): Promise<Calculator | undefined> => {
    const snapshot: Calculator | undefined = await store.getLatestSnapshotById(id);
    if (snapshot === undefined) return undefined;
    const events: NumbersAdded[] = await store.getEventsByIdSinceSequenceNumber(id, snapshot.sequenceNumber + 1);
    return events.reduce((calculator, event) => calculator.apply(event), snapshot);
  };
  const command = async (aggregateId: string): Promise<void> => {
    const id = new CalculatorId(aggregateId);
    const calculator = await find(id);
    if (calculator !== undefined) return store.persistEvent(numbersAdded(id, calculator.sequenceNumber + 1), calculator.version);
    const created = numbersAdded(id, 1);
    return store.persistEventAndSnapshot(created, new Calculator(id, 0, 0, 1).apply(created));
  };
  return {
    command,
    sum: async (aggregateId) => (await find(new CalculatorId(aggregateId)))?.sum ?? 0,
    seed: async (aggregateId, events) => {
      const id = new CalculatorId(aggregateId);
      await command(aggregateId);
      const { sequenceNumber, version } = (await find(id)) as Calculator;
      for (let i = 0; i < events - 1; i++) await store.persistEvent(numbersAdded(id, sequenceNumber + 1 + i), version + i);
    },
    close: async () => {},
  };
}

export const contender: Contender = {
  kind: "peer",
  packages: ["event-store-adapter-js"],
  notes: {
    replay: "it has no subscription (DynamoDB Streams do that)",
    "sqlite-32": "it has no SQLite store",
  },
  memory: open,
};
