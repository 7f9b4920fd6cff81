// One process of the DynamoDB benchmark: sends commands for a while, and tells how many, and what they cost, on one line.
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { DynamoDbEventStore, type IDocument } from "../adapters/dynamodb/index.ts";
import { Actor, Aggregate, type CommandContext, CommandHandler, type EventOf } from "../core/index.ts";

const [, , engine = "", endpoint = "", table = "", name = "", inFlight = "1", duration = "1000"] = process.argv;
/** Aggregates of each lane: few enough to be warm. */
const AGGREGATES = 10;
const tenant = "bench";

class Calculator extends Aggregate<{ NumbersAdded: { number1: number; number2: number } }> {
  static readonly path = "/calculators";
  static readonly access = "tenant";
  /** As castore, which keeps none. */
  static readonly snapshot = { every: 1_000_000 };
  sum = 0;
  get commands() {
    return {
      AddNumbers: (context: CommandContext<Calculator, { number1: number; number2: number }>) => context.push("NumbersAdded"),
    };
  }
  get events() {
    return {
      NumbersAdded: ({ payload }: EventOf<Calculator, "NumbersAdded">) => {
        this.sum += payload.number1 + payload.number2;
      },
    };
  }
}

const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
const document = DynamoDBDocument.from(client);
const cost = { requests: 0, units: 0 };
const send = engine === "evenant" ? evenant() : engine === "castore" ? castore() : parent();

for (let n = 0; n < AGGREGATES * Number(inFlight); n++) await send(`${name}-${n}`);
Object.assign(cost, { requests: 0, units: 0 });
let commands = 0;
const began = performance.now();
const end = began + Number(duration);
// Lanes share nothing: each has aggregates of its own.
await Promise.all(Array.from({ length: Number(inFlight) }, (_, lane) => drive(lane)));
process.stdout.write(`${JSON.stringify({ commands, seconds: (performance.now() - began) / 1_000, ...cost })}\n`);
client.destroy();

async function drive(lane: number): Promise<void> {
  for (let n = 0; performance.now() < end; n++) {
    await send(`${name}-${lane * AGGREGATES + (n % AGGREGATES)}`);
    commands++;
  }
}

function evenant(): (id: string) => Promise<unknown> {
  const methods = ["get", "query", "batchGet", "put", "update", "delete", "transactWrite", "batchWrite"] as const;
  const metered = Object.fromEntries(
    methods.map((method) => {
      const call = document[method].bind(document) as (input: unknown, options: unknown) => Promise<object>;
      return [method, async (input: unknown, options: unknown) => metering(await call(input, options))];
    }),
  );
  const store = new DynamoDbEventStore(metered as unknown as IDocument, { table });
  const handler = new CommandHandler(store, [Calculator]);
  const actor = new Actor({ id: "bench", tenant, roles: [] });
  return (aggregateId) => handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId });
}

/** What castore's adapter asks for: all events of the aggregate, then the next one if its version is free. It keeps no order. */
function castore(): (id: string) => Promise<unknown> {
  return async (id) => {
    const events = await eventsOf(id, 0);
    const version = events.length + 1;
    const Item = {
      pk: `castore#${id}`,
      sk: String(version).padStart(8, "0"),
      type: "NUMBERS_ADDED",
      payload: { number1: 1, number2: 2 },
    };
    await putNext(Item);
  };
}

/** What the parent's design asks for: the snapshot, the events after it, the next event, the snapshot. It numbers by the clock. */
function parent(): (id: string) => Promise<unknown> {
  return async (id) => {
    const pk = `parent#${id}`;
    const input = {
      TableName: table,
      Key: { pk, sk: "snapshot" },
      ConsistentRead: true,
      ReturnConsumedCapacity: "TOTAL",
    } as const;
    const { Item: snapshot } = metering(await document.get(input));
    const events = await eventsOf(id, Number(snapshot?.version ?? 0), pk);
    const version = Number(snapshot?.version ?? 0) + events.length + 1;
    await putNext({ pk, sk: String(version).padStart(8, "0"), at: Date.now(), payload: { number1: 1, number2: 2 } });
    metering(await document.put({ TableName: table, Item: { pk, sk: "snapshot", version }, ReturnConsumedCapacity: "TOTAL" }));
  };
}

async function eventsOf(id: string, after: number, pk = `castore#${id}`): Promise<readonly object[]> {
  const { Items: items = [] } = metering(
    await document.query({
      TableName: table,
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: { ":pk": pk, ":from": String(after + 1).padStart(8, "0"), ":to": "99999999" },
      ConsistentRead: true,
      ReturnConsumedCapacity: "TOTAL",
    }),
  );
  return items;
}

async function putNext(Item: Record<string, unknown>): Promise<void> {
  const condition = { ConditionExpression: "attribute_not_exists(pk)", ReturnConsumedCapacity: "TOTAL" } as const;
  metering(await document.put({ TableName: table, Item, ...condition }));
}

function metering<T extends object>(output: T): T {
  const { ConsumedCapacity: capacity } = output as { ConsumedCapacity?: unknown };
  const parts = (Array.isArray(capacity) ? capacity : [capacity]) as ({ CapacityUnits?: number } | undefined)[];
  cost.requests++;
  for (const part of parts) cost.units += part?.CapacityUnits ?? 0;
  return output;
}
