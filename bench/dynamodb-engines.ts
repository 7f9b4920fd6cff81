import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { DynamoDbEventStore, ensureTable } from "../adapters/dynamodb/index.ts";
import { Actor, Aggregate, type CommandContext, CommandHandler, type EventOf } from "../core/index.ts";

/** Adds 1 and 2 on one aggregate; resolves when that is stored. */
type Send = (aggregateId: string) => Promise<unknown>;

/** One way to keep events in DynamoDB. */
interface Engine {
  readonly makeTable: (client: DynamoDB, table: string) => Promise<void>;
  readonly sender: (client: DynamoDB, table: string) => Promise<Send>;
}

const TENANT = "bench";

/** Ours; castore with its own adapter; and the parent's design, rebuilt by its requests, since it has no DynamoDB. */
export const engines: Readonly<Record<string, Engine>> = {
  evenant: { makeTable: makeEvenantTable, sender: evenant },
  castore: { makeTable: makeCastoreTable, sender: castore },
  parent: { makeTable: ensureTable, sender: parent },
};

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

async function makeEvenantTable(client: DynamoDB, table: string): Promise<void> {
  await ensureTable(client, table);
  await new DynamoDbEventStore(DynamoDBDocument.from(client), { table }).open(TENANT);
}

async function evenant(client: DynamoDB, table: string): Promise<Send> {
  const handler = new CommandHandler(new DynamoDbEventStore(DynamoDBDocument.from(client), { table }), [Calculator]);
  const actor = new Actor({ id: "bench", tenant: TENANT, roles: [] });
  return (aggregateId) => handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId });
}

/** As its documentation says, but without the index that lists aggregates, which would cost it writes. */
async function makeCastoreTable(client: DynamoDB, TableName: string): Promise<void> {
  await client.createTable({
    TableName,
    BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [
      { AttributeName: "aggregateId", AttributeType: "S" },
      { AttributeName: "version", AttributeType: "N" },
    ],
    KeySchema: [
      { AttributeName: "aggregateId", KeyType: "HASH" },
      { AttributeName: "version", KeyType: "RANGE" },
    ],
  });
}

/** Queries all events of the aggregate, then puts the next one if its version is free. It keeps no order over aggregates. */
async function castore(dynamoDBClient: DynamoDB, tableName: string): Promise<Send> {
  const { DynamoDBSingleTableEventStorageAdapter: Adapter } = await import("@castore/event-storage-adapter-dynamodb");
  const { calculatorsOn } = await import("./contenders/castore.ts");
  return calculatorsOn(new Adapter({ tableName, dynamoDBClient })).command;
}

/** Reads the snapshot and the events after it, puts the next event and the snapshot. It numbers by the clock, so it loses events. */
async function parent(client: DynamoDB, TableName: string): Promise<Send> {
  const document = DynamoDBDocument.from(client);
  const sortOf = (version: number) => String(version).padStart(8, "0");
  return async (pk) => {
    const { Item: snapshot } = await document.get({ TableName, Key: { pk, sk: "snapshot" }, ConsistentRead: true });
    const known = Number(snapshot?.version ?? 0);
    const { Items: events = [] } = await document.query({
      TableName,
      KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
      ExpressionAttributeValues: { ":pk": pk, ":from": sortOf(known + 1), ":to": "99999999" },
      ConsistentRead: true,
    });
    const version = known + events.length + 1;
    const sum = Number(snapshot?.sum ?? 0) + 3 * (events.length + 1);
    const event = { type: "NumbersAdded", at: Date.now(), payload: { number1: 1, number2: 2 } };
    const Item = { pk, sk: sortOf(version), ...event };
    await document.put({ TableName, Item, ConditionExpression: "attribute_not_exists(pk)" });
    await document.put({ TableName, Item: { pk, sk: "snapshot", version, sum } });
  };
}
