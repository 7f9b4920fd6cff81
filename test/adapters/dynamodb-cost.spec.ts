import { expect } from "chai";
import type { DynamoDbEventStore } from "../../adapters/dynamodb/index.ts";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  defaultPlatform,
  type EventOf,
  type SnapshotPolicy,
  StreamReader,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { Meter } from "../support/dynamodb-meter.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";

const TIMES = 100;

/** Warm, but without snapshots. The type has 11 letters, so an id of 21 makes refs of 57 bytes. */
class Meters extends Aggregate<{ Added: { amount: number } }> {
  static readonly path: string = "/calculators";
  static readonly access = "tenant";
  static readonly snapshot: SnapshotPolicy = { every: 1_000_000 };
  sum = 0;
  get commands() {
    return { Add: (context: CommandContext<Meters, { amount: number }>) => context.push("Added") };
  }
  get events() {
    return {
      Added: (event: EventOf<Meters, "Added">) => {
        this.sum += event.payload.amount;
      },
    };
  }
}

class SnapshotMeters extends Meters {
  static override readonly snapshot: SnapshotPolicy = true;
}

if (hasDynamoDb() && process.env.DYNAMODB_SERVER !== "local") {
  describe("what commands and polls cost on DynamoDB, in the units that it reports", function () {
    this.timeout(60_000);
    const meter = new Meter();
    const tenant = "t";
    const actor = actorOf(tenant);
    let table: DynamoDbTable;
    let store: DynamoDbEventStore;

    before(async () => {
      table = await dynamoDbTable();
    });
    beforeEach(async () => {
      store = table.store({}, (document) => meter.through(document));
      await store.open(tenant);
    });
    afterEach(async () => {
      await store.close();
    });
    after(() => table.close());

    const idOf = (length: number, n: number) => `${n}-`.padEnd(length, defaultPlatform.newId().repeat(2));

    /** The average cost of commands on warm aggregates, one after another. */
    async function lone(length: number, commandId: (n: number) => string | undefined = () => undefined) {
      const handler = new CommandHandler(store, [Meters]);
      const ids = Array.from({ length: 10 }, (_, n) => idOf(length, n));
      for (const aggregateId of ids) await handler.command(actor, "Add", { amount: 1, aggregateId });
      meter.reset();
      for (let n = 0; n < TIMES; n++) {
        const id = commandId(n);
        const aggregateId = ids[n % ids.length] as string;
        await handler.command(actor, "Add", { amount: 1, aggregateId }, id === undefined ? {} : { commandId: id });
      }
      const { reads, writes, requests } = meter.total;
      return { reads: reads / TIMES, writes: writes / TIMES, requests: requests / TIMES };
    }

    it("is at most 2.3 write units and no read for a warm, lone command with refs of 57 bytes", async () => {
      const { reads, writes, requests } = await lone(21);
      expect(reads).to.equal(0);
      expect(writes).to.be.at.most(2.3);
      expect(requests).to.be.at.most(2.2);
    });

    it("is at most 3.1 write units with ids of 51 bytes", async () => {
      const { reads, writes } = await lone(51);
      expect(reads).to.equal(0);
      expect(writes).to.be.at.most(3.1);
    });

    it("is at most 6 write units with a receipt", async () => {
      const { reads, writes } = await lone(21, () => defaultPlatform.newId());
      expect(reads).to.equal(0);
      expect(writes).to.be.at.most(6);
    });

    it("is at most 1.6 write units each in groups of 16", async () => {
      const handler = new CommandHandler(store, [Meters]);
      const ids = Array.from({ length: 16 }, (_, n) => idOf(21, n));
      const send = (aggregateId: string) => handler.command(actor, "Add", { amount: 1, aggregateId });
      await Promise.all(ids.map(send));
      meter.reset();
      // Together on purpose: while the first is in flight the others gather; so the first goes along with the previous round's last.
      const rounds = 25;
      for (let round = 0; round < rounds; round++) await Promise.all(ids.map(send));
      const { reads, writes, requests } = meter.total;
      expect(reads).to.equal(0);
      expect(writes / rounds / 16).to.be.at.most(1.6);
      expect(requests / rounds / 16).to.be.at.most(1.3);
    });

    it("is one write unit more with a snapshot of up to 1 KB", async () => {
      const handler = new CommandHandler(store, [SnapshotMeters]);
      const aggregateId = idOf(21, 0);
      await handler.command(actor, "Add", { amount: 1, aggregateId });
      meter.reset();
      for (let n = 0; n < TIMES; n++) await handler.command(actor, "Add", { amount: 1, aggregateId });
      const { reads, writes } = meter.total;
      expect(reads).to.equal(0);
      expect(writes / TIMES).to.be.at.most(3.3);
    });

    it("is at most 2 read units for a cold load of an aggregate with a snapshot", async () => {
      const aggregateId = idOf(21, 0);
      const writer = new CommandHandler(store, [SnapshotMeters]);
      for (let n = 0; n < 20; n++) await writer.command(actor, "Add", { amount: 1, aggregateId });
      meter.reset();
      const loaded = await new CommandHandler(store, [SnapshotMeters]).load(actor, SnapshotMeters, aggregateId);
      expect(loaded?.sum).to.equal(20);
      const { reads, writes } = meter.total;
      expect(reads).to.be.at.most(2);
      expect(writes).to.equal(0);
    });

    it("is at most 2 read units and no write for an idle poll", async () => {
      const handler = new CommandHandler(store, [Meters]);
      await handler.command(actor, "Add", { amount: 1, aggregateId: idOf(21, 0) });
      const reader = new StreamReader(store);
      const counter = { name: "Counter", events: { Added: () => undefined } };
      while ((await reader.poll(tenant, "main", [counter])).status !== "idle");
      meter.reset();
      expect((await reader.poll(tenant, "main", [counter])).status).to.equal("idle");
      const { reads, writes, requests } = meter.total;
      expect({ reads, writes, requests }).to.deep.equal({ reads: 2, writes: 0, requests: 1 });
    });

    it("is at most 2 read units for the lag of a thread with nothing to do, and at most 5 for one that is far behind", async () => {
      const handler = new CommandHandler(store, [Meters]);
      const add = (n: number) => handler.command(actor, "Add", { amount: 1, aggregateId: idOf(21, n) });
      await add(0);
      const reader = new StreamReader(store);
      const counter = { name: "Counter", events: { Added: () => undefined } };
      while ((await reader.poll(tenant, "lagging", [counter])).status !== "idle");
      meter.reset();
      expect((await reader.lag(tenant, "lagging")).Counter?.commits).to.equal(0);
      expect(meter.total).to.deep.equal({ reads: 2, writes: 0, requests: 1 });
      for (let n = 1; n <= 40; n++) await add(n);
      meter.reset();
      expect((await reader.lag(tenant, "lagging")).Counter?.commits).to.equal(40);
      expect(meter.total.reads).to.be.within(3, 5);
      expect(meter.total.writes).to.equal(0);
    });

    it("is what a command's own context tells, but for what came to nothing", async () => {
      const handler = new CommandHandler(store, [Meters]);
      const aggregateId = idOf(21, 0);
      await handler.command(actor, "Add", { amount: 1, aggregateId });
      meter.reset();
      let told = 0;
      for (let n = 0; n < 32; n++) told += (await handler.command(actor, "Add", { amount: 1, aggregateId })).cost.writes;
      expect(told).to.equal(meter.total.writes);
    });
  });
}
