import { expect } from "chai";
import { CommandHandler, type IEventStore, StoreError } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { exportAll, historyOf, loadWhole, readAll, stream } from "../contract/reading.ts";
import { commits, expectStatus, grow, project, send } from "../contract/writing.ts";
import { actorOf } from "../support/actors.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { named } from "../support/dynamodb-model.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, tableAt } from "../support/dynamodb-store.ts";
import { openBeforeEach } from "../support/opened-table.ts";
import { failingOften, leavingRests, overridden } from "../support/overridden-document.ts";
import { rejects } from "../support/rejects.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const TENANT = "t";
const CUTS = 200;

if (hasDynamoDb()) {
  describe("what goes wrong between the store and DynamoDB", function () {
    this.timeout(120_000);
    const clock = new TurnedClock();
    const now = () => clock.now();
    let table: DynamoDbTable;
    let store: IEventStore;

    openBeforeEach(TENANT, clock, (opened) => {
      ({ table, store } = opened);
    });

    const orderOf = async () => (await readAll({ store, clock }, TENANT)).commits;

    it(`tell the truth within 10 s, without a double, when ${CUTS} replies are cut after the write`, async () => {
      const proxy = await cuttingProxy(table.endpoint);
      const through = tableAt(proxy.url, table.table);
      const handler = new CommandHandler(through.store({ now }), [SummingCalculator]);
      const actor = actorOf(TENANT);
      const lanes = 10;
      let longest = 0;
      const lane = async (n: number) => {
        for (let sent = 0; sent < CUTS / lanes; sent++) {
          proxy.arm();
          const began = performance.now();
          const command = { number1: 1, number2: 0, aggregateId: `lane${n}` };
          const context = await handler.command(actor, "AddNumbers", command, n % 3 === 0 ? { commandId: `${n}-${sent}` } : {});
          longest = Math.max(longest, performance.now() - began);
          expect(context.aggregate.sum).to.equal(sent + 1);
        }
      };
      // Each lane has an aggregate of its own.
      await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n)));
      expect(proxy.cuts).to.be.at.least(CUTS * 0.9);
      expect(longest).to.be.below(10_000);
      const order = await orderOf();
      expect(order.length).to.equal(CUTS);
      for (let n = 0; n < lanes; n++) {
        const { version } = await loadWhole(store, { tenant: TENANT, type: "summing-calculators", id: `lane${n}` });
        expect(version).to.equal(CUTS / lanes - 1);
      }
      through.close();
      await proxy.close();
    });

    it("say that the outcome is unknown where no reply comes before the deadline, and the resend finds its commit", async function () {
      this.timeout(30_000);
      const commit = pending({ id: "a", version: 0 });
      const mute = table.store({ now }, (document) =>
        overridden(document, {
          put: async (input) => {
            await document.put(input).catch(() => undefined);
            throw named("TimeoutError");
          },
        }),
      );
      const began = performance.now();
      const { error } = expectStatus(await send(mute, TENANT, commit), "failed");
      expect(performance.now() - began).to.be.within(5_000, 9_000);
      expect(error).to.include({ outcome: "unknown", retryable: true });
      expectStatus(await send(store, TENANT, commit), "committed");
      expect((await orderOf()).map(({ commitId }) => commitId)).to.deep.equal([commit.commitId]);
    });

    it("tell of each commit what became of it where a large group needs two tickets and the second is refused", async () => {
      let tickets = 0;
      const refusing = table.store({ now }, (document) =>
        overridden(document, {
          update: async (input) => {
            if (input.UpdateExpression.includes("list_append") && ++tickets === 2) throw named("ValidationException");
            return document.update(input);
          },
        }),
      );
      const group = Array.from({ length: 20 }, (_, n) =>
        pending(Array.from({ length: 15 }, (_, m) => ({ id: `${n}-${m}`, version: 0 }))),
      );
      const outcomes = await refusing.commit(TENANT, group);
      const written = outcomes.filter(({ status }) => status === "committed").length;
      expect(written).to.be.within(1, 19);
      for (const outcome of outcomes.slice(written)) expect(expectStatus(outcome, "failed").error.outcome).to.equal("none");
      expect((await orderOf()).length).to.equal(written * 15);
    });

    it("say that nothing was written where the table refuses, at once", async () => {
      const missing = tableAt(table.endpoint, "no-such-table");
      const error = await rejects(StoreError, missing.store().commit(TENANT, [pending({ id: "a", version: 0 })]));
      expect(error).to.include({ outcome: "none", retryable: false });
      const advice = "the table no-such-table is not there: create it, or correct its name or the client's region";
      expect(error.message).to.match(new RegExp(`^${advice}: ResourceNotFoundException`));
      missing.close();
    });

    for (const name of [
      "ThrottlingException",
      "ProvisionedThroughputExceededException",
      "TransactionConflictException",
      "InternalServerError",
    ]) {
      it(`come to an end, and to the same, where every fourth request fails with ${name}`, async () => {
        const random = seededRandom(11);
        const through = table.store({ now }, (document) =>
          failingOften(
            document,
            () => random.chance(0.25),
            () => named(name),
          ),
        );
        await live(through);
        await expectLived();
      });
    }

    it("come to an end, and to the same, where transactions are cancelled by a conflict", async () => {
      const random = seededRandom(12);
      const conflict = () =>
        Object.assign(named("TransactionCanceledException"), { CancellationReasons: [{ Code: "TransactionConflict" }] });
      const through = table.store({ now }, (document) =>
        overridden(document, {
          transactWrite: async (input) => {
            if (random.chance(0.5)) throw conflict();
            return document.transactWrite(input);
          },
        }),
      );
      await live(through);
      await expectLived();
    });

    it("come to an end, and to the same, where batches are done in part", async () => {
      const random = seededRandom(13);
      const through = table.store({ now }, (document) => leavingRests(document, (count) => random.below(count + 1)));
      await live(through);
      await expectLived();
      const records = await exportAll(through, TENANT);
      await through.erase(TENANT);
      await through.import(TENANT, stream(records));
      await expectLived();
    });

    /** One of everything: commits alone and in groups, on several aggregates, with receipts, verified; views. */
    async function live(through: IEventStore): Promise<void> {
      await grow(through, TENANT, "a", 20, { snapshots: true });
      await through.commit(
        TENANT,
        Array.from({ length: 40 }, (_, n) => pending({ id: `g${n}`, version: 0 })),
      );
      await commits(
        through,
        TENANT,
        pending(
          [
            { id: "b", version: 0 },
            { id: "c", version: 0 },
          ],
          { receipt: receiptOf("k", "b", 0) },
        ),
      );
      await commits(through, TENANT, pending({ id: "d", version: 0 }, { verified: [{ type: TYPE, id: "a", version: 19 }] }));
      await project(through, TENANT, "sums", { x: { n: 1 }, y: { n: 2 } });
      expect((await readAll({ store: through, clock }, TENANT)).commits.length).to.equal(63);
    }

    async function expectLived(): Promise<void> {
      const order = await orderOf();
      expect(order.length).to.equal(63);
      expect(order.slice(-3).map(({ id }) => id)).to.deep.equal(["b", "c", "d"]);
      expect((await historyOf(store, TENANT, "a")).length).to.equal(20);
      expect(await store.receipt(TENANT, "k")).to.deep.equal(receiptOf("k", "b", 0));
    }
  });
}
