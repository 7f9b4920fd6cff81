import { Actor, type IEventStore } from "../../core/index.ts";
import { SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import { streamHandler } from "../../functions/aws/stream-handler.ts";
import { compose, type Service } from "../../functions/composition.ts";
import { doorbell } from "../../functions/doorbell.ts";
import { jsonLog } from "../../functions/log.ts";
import { type StreamedTable, streamedTable } from "./dynamodb-stream.ts";

/** Calculators on a table with a stream, and the Lambda handler that the stream calls. */
export interface DoorbellBench {
  readonly table: StreamedTable;
  readonly store: IEventStore;
  readonly service: Service;
  readonly handler: ReturnType<typeof streamHandler>;
  readonly lines: Record<string, unknown>[];
  /** Adds `count` to a tenant's calculator, one command for each one. */
  add(tenant: string, count: number): Promise<void>;
  /** What the tenant's view says; each step counted once, if all is well. */
  steps(tenant: string): Promise<number>;
  /** Every item of the table by its key, to see that nothing has changed. */
  items(): Promise<ReadonlyMap<string, unknown>>;
  close(): Promise<void>;
}

/** The calculators of the tests. */
const calculators = { aggregates: [SummingCalculator], threads: { calculators: [new Totals()] } } as const;

/** Opens a bench on a table of its own; `through` stands before the store that readers use. */
export async function doorbellBench(through: (store: IEventStore) => IEventStore = (same) => same): Promise<DoorbellBench> {
  const table = await streamedTable();
  const store = table.store();
  const service = compose(store, calculators);
  const lines: Record<string, unknown>[] = [];
  const log = jsonLog((line) => lines.push(JSON.parse(line)));
  const reading = through(store);
  const ring = doorbell({ store: reading, service: compose(reading, calculators), log });
  return {
    table,
    store,
    service,
    lines,
    handler: streamHandler(ring, log),
    add: async (tenant, count) => {
      const actor = new Actor({ id: "ada", tenant, roles: ["user"] });
      for (let step = 0; step < count; step++)
        await service.handler.command(actor, "AddNumbers", { aggregateId: "c", number1: 1, number2: 0 });
    },
    steps: async (tenant) => {
      const view = await service.reader.views<{ steps: number }>(tenant, { collection: "totals" }).get("c");
      return view?.steps ?? 0;
    },
    items: async () => {
      const { Items = [] } = await table.document.scan({ TableName: table.table, ConsistentRead: true });
      return new Map(Items.map((item) => [`${item.pk} ${item.sk}`, item]));
    },
    close: async () => {
      await store.close();
      table.close();
    },
  };
}
