import type { IEventStore } from "../../core/index.ts";
import { type DynamoDbTable, dynamoDbTable } from "./dynamodb-store.ts";
import type { TurnedClock } from "./turned-clock.ts";

/** What a test finds: a table for the suite, and a store on it in which its tenant is open. */
export interface OpenedTable {
  readonly table: DynamoDbTable;
  readonly store: IEventStore;
}

/** Opens a tenant before each test of the suite that calls this, and erases it afterwards, so that its name is free again. */
export function openBeforeEach(tenant: string, clock: TurnedClock, take: (opened: OpenedTable) => void): void {
  let table: DynamoDbTable;
  let store: IEventStore;
  before(async () => {
    table = await dynamoDbTable();
  });
  beforeEach(async () => {
    store = table.store({ now: () => clock.now() });
    await store.open(tenant);
    take({ table, store });
  });
  afterEach(async () => {
    await store.erase(tenant);
    clock.turn(2 * 60 * 60 * 1000);
    await store.close();
  });
  after(() => table.close());
}
