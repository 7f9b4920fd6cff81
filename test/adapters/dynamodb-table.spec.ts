import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import * as commands from "@aws-sdk/lib-dynamodb";
import { expect } from "chai";
import fc from "fast-check";
import {
  cloudFormation,
  type DocumentClient,
  DynamoDbEventStore,
  ensureTable,
  type IDocument,
  type ITableMaker,
  tableDefinition,
  tenantsWithNews,
} from "../../adapters/dynamodb/index.ts";
import * as keys from "../../adapters/dynamodb/keys.ts";
import { Err, type IEventStore } from "../../core/index.ts";
import { pending, TYPE } from "../contract/pending.ts";
import { readAll } from "../contract/reading.ts";
import { commits, grow, project } from "../contract/writing.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";
import { overridden } from "../support/overridden-document.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** The SDK's own clients fit what the adapter asks for; this file compiles only then. */
function fits(document: commands.DynamoDBDocument, client: commands.DynamoDBDocumentClient, maker: DynamoDB): unknown {
  const methods: IDocument = document;
  const sender: DocumentClient = client;
  const tables: ITableMaker = maker;
  // @ts-expect-error: it takes commands only, so it has no methods.
  const wrong: IDocument = client;
  return [methods, tables, wrong, new DynamoDbEventStore(sender, { table: "t", commands })];
}

const NAME = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,9}$/);
const ID = fc.oneof(fc.stringMatching(/^[#/T@ A:a-c-]{1,8}$/), fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }));
const PLACE = fc.record({ tenant: NAME, type: NAME, id: ID });

describe("the keys on DynamoDB", () => {
  it("are those of one item each, however ids are spelled", () => {
    const all = (place: { tenant: string; type: string; id: string }) => [
      keys.registryKey(place.tenant),
      keys.openPageKey(place.tenant),
      keys.pageKey(place.tenant, 17),
      keys.commitKey(place, 3),
      keys.snapshotKey(place),
      keys.receiptKey(place.tenant, place.id),
      keys.threadKey(place.tenant, place.type),
      keys.ownerKey(place.tenant, place.type),
      keys.viewKey(place.tenant, place.type, place.id),
      keys.parkedKey(place.tenant, place.type, { handler: place.type, position: 1, index: 0 }),
    ];
    fc.assert(
      fc.property(PLACE, PLACE, (one, other) => {
        const [left, right] = [all(one).map(keys.textOfKey), all(other).map(keys.textOfKey)];
        expect(new Set(left).size).to.equal(left.length);
        if (one.tenant !== other.tenant) expect(left.filter((key) => right.includes(key))).to.deep.equal([]);
        const isSame = one.tenant === other.tenant && one.type === other.type && one.id === other.id;
        for (const n of [3, 4, 8]) expect(left[n] === right[n]).to.equal(isSame);
        for (const { pk } of all(one).slice(1)) {
          expect(pk.startsWith(`T#${one.tenant}#`)).to.equal(true);
          expect(keys.parsePartition(pk)?.tenant).to.equal(one.tenant);
        }
      }),
    );
  });

  it("give each ref back as it was", () => {
    fc.assert(
      fc.property(PLACE, fc.nat(), ({ type, id }, version) => {
        const ref = { commitId: "Abc_-9".padEnd(21, "x"), type, id, version };
        expect(keys.parseRef(keys.refText(ref))).to.deep.equal(ref);
      }),
    );
  });
});

describe("the table on DynamoDB", () => {
  it("is the same for CreateTable and for CloudFormation", () => {
    const { StreamSpecification: stream, ...definition } = tableDefinition("events", { stream: true });
    const { EvenantTable: resource } = cloudFormation("events", { stream: true, pointInTimeRecovery: true });
    expect(resource.Properties).to.deep.include(definition);
    expect(resource.Properties.StreamSpecification).to.deep.equal({ StreamViewType: stream?.StreamViewType });
    expect(resource.Properties.TimeToLiveSpecification).to.deep.equal({ AttributeName: "expires", Enabled: true });
    expect(JSON.parse(JSON.stringify(resource))).to.deep.equal(resource);
  });

  it("takes the clients of the SDK, as the compiler says", () => {
    expect(fits).to.be.a("function");
  });

  it("refuses a client without methods where it has no commands, and says how to make one", () => {
    const sender = { send: async () => ({}) };
    expect(() => new DynamoDbEventStore(sender, { table: "t" })).to.throw(Err, "DynamoDBDocument.from(client)");
  });
});

describe("the doorbell of DynamoDB Streams", () => {
  it("names each tenant with news once, in the order of their coming, and nobody else", () => {
    const record = ({ pk, sk }: keys.Key) => ({ dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } } } });
    const place = (tenant: string) => ({ tenant, type: "x", id: "T#other#L" });
    const Records = [
      record(keys.commitKey(place("b"), 0)),
      record(keys.openPageKey("a")),
      record(keys.commitKey(place("b"), 1)),
      record(keys.snapshotKey(place("c"))),
      record(keys.threadKey("d", "open")),
      record(keys.registryKey("e")),
      record({ pk: "somebody's", sk: "open" }),
      {},
    ];
    expect(tenantsWithNews({ Records })).to.deep.equal(["b", "a", "d"]);
    expect(tenantsWithNews({})).to.deep.equal([]);
  });
});

if (hasDynamoDb()) {
  describe("a store on a DynamoDB table", function () {
    this.timeout(60_000);
    const clock = new TurnedClock();
    const now = () => clock.now();
    let table: DynamoDbTable;
    let store: IEventStore;

    before(async () => {
      table = await dynamoDbTable();
      store = table.store({ now, watchInterval: 20 });
    });
    after(async () => {
      await store.close();
      table.close();
    });

    it("finds its table ready again, with its TTL on", async () => {
      await ensureTable(table.client, table.table);
      const { TimeToLiveDescription: ttl } = await table.client.describeTimeToLive({ TableName: table.table });
      expect(ttl?.AttributeName).to.equal("expires");
    });

    it("works with a DynamoDBDocumentClient and the SDK's commands", async () => {
      const client = commands.DynamoDBDocumentClient.from(table.client);
      const other = new DynamoDbEventStore(client, { table: table.table, commands });
      await other.open("sender");
      await grow(other, "sender", "a", 20, { snapshots: true });
      await project(other, "sender", "sums", { x: { n: 1 } });
      expect((await readAll({ store, clock }, "sender")).commits.length).to.equal(20);
      await other.erase("sender");
    });

    it("keeps of a published snapshot what a load reads, and nothing else", async () => {
      await store.open("published");
      const snapshot = { schema: 1, state: { n: 1 }, isPublished: true } as const;
      await commits(store, "published", pending({ id: "a", version: 0, snapshot }));
      const { pk, sk } = keys.snapshotKey({ tenant: "published", type: TYPE, id: "a" });
      const { Item: item } = await table.document.get({ TableName: table.table, Key: { pk, sk }, ConsistentRead: true });
      expect(JSON.parse(item?.body)).to.deep.equal({ schema: 1, state: { n: 1 } });
    });

    it("replays a tenant of 5,000 commits whole, and over the turn of a year", async () => {
      await store.open("large");
      for (let version = 0; version < 50; version++) {
        if (version === 25) clock.turn(366 * 24 * 60 * 60 * 1000);
        const group = Array.from({ length: 100 }, (_, n) => pending({ id: `a${n}`, version }));
        await store.commit("large", group);
      }
      const { commits: order } = await readAll({ store, clock }, "large", { limit: 1_000 });
      expect(order.map(({ position }) => position)).to.deep.equal(Array.from({ length: 5_000 }, (_, n) => n + 1));
      expect(order.every(({ version }, place) => version === Math.floor(place / 100))).to.equal(true);
    });

    it("keeps the open page short without readers", async () => {
      await store.open("unread");
      for (let version = 0; version < 70; version++) await grow(store, "unread", "a", 1, { version });
      const key = keys.openPageKey("unread");
      const { Item: page } = await table.document.get({ TableName: table.table, Key: key, ConsistentRead: true });
      expect(page?.count).to.equal(70);
      expect(page?.refs.length).to.be.below(16);
      const asOthersTrim = Array.from({ length: 64 }, (_, n) => grow(store, "unread", `b${n}`, 2));
      await Promise.all(asOthersTrim);
      expect((await readAll({ store, clock }, "unread")).commits.length).to.equal(70 + 128);
    });

    it("rings at commits of another process, and on until a reader has passed what is in flight", async () => {
      await store.open("watched");
      const stop = new AbortController();
      let rings = 0;
      store.watch?.("watched", () => rings++, stop.signal);
      const rung = async (more: number) => {
        for (const wanted = rings + more; rings < wanted; ) await new Promise((resolve) => setTimeout(resolve, 5));
      };
      await rung(1);
      const other = table.store({ now });
      await commits(other, "watched", pending({ id: "a", version: 0 }));
      await rung(1);
      const dying = table.store({ now }, (document) => overridden(document, { put: () => new Promise(() => undefined) }));
      void dying.commit("watched", [pending({ id: "b", version: 0 })]);
      await rung(1);
      const { waiting } = await store.read("watched", 1, 10);
      expect(waiting?.position).to.equal(2);
      await rung(5);
      clock.turn(15_000);
      expect((await store.read("watched", 1, 10, waiting)).next).to.equal(2);
      await new Promise((resolve) => setTimeout(resolve, 60));
      const calm = rings;
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(rings).to.equal(calm);
      stop.abort();
    });
  });
}
