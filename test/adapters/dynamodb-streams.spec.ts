import { DynamoDBStreams, type _Record as StreamRecord } from "@aws-sdk/client-dynamodb-streams";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { expect } from "chai";
import { ensureTable, type StreamEvent, tenantsWithNews } from "../../adapters/dynamodb/index.ts";
import { type IEventStore, StreamReader } from "../../core/index.ts";
import { grow } from "../contract/writing.ts";
import { dynamoDbEndpoint, hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, tableAt } from "../support/dynamodb-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

/** What a Lambda function gets is what the doorbell takes; this file compiles only then. */
function fits(event: DynamoDBStreamEvent): StreamEvent {
  return event;
}

describe("a Lambda event of DynamoDB's streams", () => {
  it("rings for the tenant of a commit, and for nobody where there is no record", () => {
    const dynamodb = { Keys: { pk: { S: "T#acme#A#loans#l1" }, sk: { S: "commit#0" } } };
    expect([...tenantsWithNews(fits({ Records: [] }))]).to.deep.equal([]);
    expect([...tenantsWithNews(fits({ Records: [{ eventName: "INSERT", dynamodb }] }))]).to.deep.equal(["acme"]);
  });
});

// Dynoxide has no streams, so this is registered in the lane of AWS's own server only: CI forbids tests that are skipped.
if (process.env.DYNAMODB_SERVER === "local" && hasDynamoDb()) {
  describe("a stream of DynamoDB", function () {
    this.timeout(60_000);
    let table: DynamoDbTable;
    let store: IEventStore;
    let streams: DynamoDBStreams;
    let take: () => Promise<readonly StreamRecord[]>;

    before(async () => {
      const endpoint = await dynamoDbEndpoint();
      table = tableAt(endpoint, "with-stream");
      await ensureTable(table.client, table.table, { stream: true });
      store = table.store();
      streams = new DynamoDBStreams({ endpoint, region: "local", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
      take = await recordsOf(streams, table);
    });
    after(async () => {
      await store.close();
      streams.destroy();
      table.close();
    });

    it("names the tenants that have news, and polling them delivers all of it", async () => {
      const counted: string[] = [];
      const counter = { name: "Counter", events: { Changed: (tenant: string) => void counted.push(tenant) } };
      const reader = new StreamReader(store);
      const ring = async () => {
        const Records = [...(await take())];
        const tenants = tenantsWithNews({ Records });
        for (const tenant of tenants) await pollUntilIdle(reader, tenant, "main", [counter]);
        return { tenants, keys: Records.map(({ dynamodb }) => dynamodb?.Keys?.sk?.S) };
      };

      for (const tenant of ["a", "b", "c"]) await store.open(tenant);
      expect((await ring()).tenants).to.have.members(["a", "b", "c"]);
      await grow(store, "b", "x", 20, { snapshots: true });
      await grow(store, "a", "x", 2);
      const { tenants, keys } = await ring();
      expect(tenants).to.deep.equal(["b", "a"]);
      expect(keys).to.include.members(["open", "page#0000000000000001", "snapshot"]);
      expect(counted).to.deep.equal([...Array(20).fill("b"), ...Array(2).fill("a")]);

      // What the readers wrote themselves, leases and cursors, is in the stream and no news.
      const own = await ring();
      expect(own.keys).to.include("main");
      expect(own.tenants).to.deep.equal([]);
      await grow(store, "c", "x", 1);
      expect((await ring()).tenants).to.deep.equal(["c"]);
      expect(counted.at(-1)).to.equal("c");
    });
  });
}

/** Gives a function that takes the records that came since its last call, from every shard; waits for the first of them. */
async function recordsOf(
  streams: DynamoDBStreams,
  { client, table }: DynamoDbTable,
): Promise<() => Promise<readonly StreamRecord[]>> {
  const { Table: { LatestStreamArn: StreamArn } = {} } = await client.describeTable({ TableName: table });
  const { StreamDescription: description } = await streams.describeStream({ StreamArn });
  expect(description?.StreamViewType).to.equal("KEYS_ONLY");
  const iterators = await Promise.all(
    (description?.Shards ?? []).map(async ({ ShardId }) => {
      const found = await streams.getShardIterator({ StreamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
      return found.ShardIterator;
    }),
  );
  const end = Date.now() + 30_000;
  return async () => {
    const records: StreamRecord[] = [];
    for (let isEmpty = false; records.length === 0 || !isEmpty; ) {
      if (Date.now() > end) throw new Error("the stream gives no records");
      isEmpty = true;
      for (const [shard, ShardIterator] of iterators.entries()) {
        if (ShardIterator === undefined) continue;
        const { Records: found = [], NextShardIterator: next } = await streams.getRecords({ ShardIterator });
        iterators[shard] = next;
        records.push(...found);
        if (found.length > 0) isEmpty = false;
      }
    }
    return records;
  };
}
