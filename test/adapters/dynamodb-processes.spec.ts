import { expect } from "chai";
import { CommandHandler, type IEventStore, type PositionedCommit } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { readAll } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { runSender } from "../support/dynamodb-senders.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const TENANT = "shared";
const PROCESSES = 8;
const COMMANDS = 50;
const KILLS = 50;

if (hasDynamoDb()) {
  describe("several processes on one DynamoDB table", function () {
    this.timeout(180_000);
    const clock = new TurnedClock();
    let table: DynamoDbTable;
    let store: IEventStore;

    beforeEach(async () => {
      table = await dynamoDbTable();
      store = table.store({ now: () => clock.now() });
      await store.open(TENANT);
    });
    afterEach(async () => {
      await store.close();
      table.close();
    });

    const orderOf = async (): Promise<readonly PositionedCommit[]> => (await readAll({ store, clock }, TENANT)).commits;

    it(`let ${PROCESSES} of them send ${COMMANDS} commands each, half of them to one aggregate: all succeed, dense, and none starves`, async () => {
      const names = Array.from({ length: PROCESSES }, (_, n) => `own-${n}`);
      // Together on purpose: they are to race.
      const runs = await Promise.all(names.map((name) => runSender(table, TENANT, name, COMMANDS)));
      expect(runs.map(({ code }) => code)).to.deep.equal(names.map(() => 0));
      const carried = runs.flatMap((run) => run.carried);
      expect(carried.length).to.equal(PROCESSES * COMMANDS);
      const order = await orderOf();
      expect(order.map(({ commitId }) => commitId)).to.have.members(carried.map(({ commitId }) => commitId));
      for (const id of [...names, "shared"]) {
        const versions = order.filter((commit) => commit.id === id).map(({ version }) => version);
        const expected = id === "shared" ? (PROCESSES * COMMANDS) / 2 : COMMANDS / 2;
        expect(versions).to.deep.equal(Array.from({ length: expected }, (_, version) => version));
      }
      // Where one starves, all its retries together take the command handler's deadline of 8 s.
      for (const { took } of carried) expect(took).to.be.below(6_000);
    });

    it(`lose nothing and hold nobody up for ever when ${KILLS} of them are killed between ticket and commit`, async () => {
      const handler = new CommandHandler(store, [SummingCalculator]);
      const acknowledged: string[] = [];
      const add = async (aggregateId: string) => {
        const context = await handler.command(actorOf(TENANT), "AddNumbers", { number1: 1, number2: 1, aggregateId });
        acknowledged.push(context.commitId);
      };
      for (let killed = 0; killed < KILLS; ) {
        const ends = [0, 1, 2, 3, 4].map((n) => ((killed + n) % 5 === 4 ? "late" : "early"));
        // They are killed side by side, and somebody else goes on meanwhile.
        const runs = ends.map((end, n) => runSender(table, TENANT, n === 0 ? "shared" : `own-${killed + n}`, 1, end));
        await add("shared");
        for (const { code, carried } of await Promise.all(runs))
          expect({ code, carried }).to.deep.equal({ code: undefined, carried: [] });
        await add(`own-${killed}`);
        killed += ends.length;
      }
      await add("shared");
      const first = await orderOf();
      const ids = first.map(({ commitId }) => commitId);
      expect(ids.filter((commitId) => acknowledged.includes(commitId))).to.deep.equal(acknowledged);
      // Those whose last word got through are there too, once.
      expect(new Set(ids).size).to.equal(ids.length);
      for (const id of new Set(first.map((commit) => commit.id))) {
        const versions = first.filter((commit) => commit.id === id).map(({ version }) => version);
        expect(versions).to.deep.equal(versions.map((_, version) => version));
      }
      expect(await orderOf()).to.deep.equal(first);
    });
  });
}
