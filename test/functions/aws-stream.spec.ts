import { setTimeout } from "node:timers/promises";
import type { DynamoDBRecord } from "aws-lambda";
import { expect } from "chai";
import { tenantsWithNews } from "../../adapters/dynamodb/index.ts";
import { type Peek, StoreError } from "../../core/index.ts";
import { STREAM_FILTER } from "../../functions/aws/deploy/template.ts";
import { type StreamBatch, streamHandler } from "../../functions/aws/stream-handler.ts";
import { type DoorbellBench, doorbellBench } from "../support/aws-doorbell.ts";
import { contextOf } from "../support/aws-events.ts";
import { DelegatingStore } from "../support/delegating-store.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { seededRandom } from "../support/seeded-random.ts";

const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const TENANTS = ["acme", "globex", "initech"];
const SERVED = { batchItemFailures: [] };

/** Whether the filter of the template lets a record ring, by the rules of Lambda's event filters that it uses. */
function rings({ eventName, dynamodb }: DynamoDBRecord): boolean {
  const { pk, sk } = STREAM_FILTER.dynamodb.Keys;
  const begins = (patterns: readonly { readonly prefix: string }[], text = "") =>
    patterns.some(({ prefix }) => text.startsWith(prefix));
  return (
    STREAM_FILTER.eventName.includes(eventName ?? "") &&
    begins(pk.S, dynamodb?.Keys?.pk?.S) &&
    begins(sk.S, dynamodb?.Keys?.sk?.S)
  );
}

const numberOf = (record: DynamoDBRecord | undefined) => record?.dynamodb?.SequenceNumber;
const tenantOf = (record: DynamoDBRecord) => tenantsWithNews({ Records: [record] })[0];

(hasDynamoDb() ? describe : describe.skip)("The stream of the table, as a doorbell on Lambda", () => {
  let bench: DoorbellBench;
  afterEach(() => bench.close());

  const stepsOfAll = () => Promise.all(TENANTS.map((tenant) => bench.steps(tenant)));
  const begin = async (through?: Parameters<typeof doorbellBench>[0]) => {
    bench = await doorbellBench(through);
    for (const [index, tenant] of TENANTS.entries()) await bench.add(tenant, index + 1);
    return bench.table.records();
  };

  it("rings by what the filter of the template lets through, and every tenant's views come up to date", async () => {
    const records = await begin();
    const ringing = records.filter(rings);
    expect(ringing).to.have.length(1 + 2 + 3);
    expect(ringing.every((record) => tenantOf(record) !== undefined)).to.equal(true);
    expect(await stepsOfAll()).to.deep.equal([0, 0, 0]);
    expect(await bench.handler({ Records: ringing }, contextOf())).to.deep.equal(SERVED);
    expect(await stepsOfAll()).to.deep.equal([1, 2, 3]);
    const after = (await bench.table.records()).slice(records.length);
    expect(after, "what the readers wrote").not.to.have.length(0);
    expect(after.filter(rings), "readers do not ring for themselves").to.deep.equal([]);
  });

  it("changes nothing but latency when records come twice, out of order, one by one, late, or not at all", async () => {
    const records = await begin();
    const { next } = seededRandom(SEED);
    const shuffled = [...records, ...records, ...records]
      .map((record) => ({ record, at: next() }))
      .sort((one, other) => one.at - other.at)
      .map(({ record }) => record);
    // Only half of each tenant's records come before its last one.
    const some = shuffled.slice(0, shuffled.length / 2);
    const batches: StreamBatch[] = [{ Records: some }, { Records: some }, ...some.map((record) => ({ Records: [record] }))];
    const answers = await Promise.all(batches.map((batch) => bench.handler(batch, contextOf())));
    expect(answers, `seed ${SEED}`).to.deep.equal(answers.map(() => SERVED));
    await bench.add("acme", 4);
    // The news of these four are lost; a record from long ago rings for them.
    const old = records.find((record) => tenantOf(record) === "acme" && rings(record));
    expect(await bench.handler({ Records: [old as DynamoDBRecord] }, contextOf())).to.deep.equal(SERVED);
    expect((await stepsOfAll())[0], `seed ${SEED}`).to.equal(5);
    const rest = await bench.handler({ Records: [...records].reverse() }, contextOf());
    expect([rest, await stepsOfAll()], `seed ${SEED}`).to.deep.equal([SERVED, [5, 2, 3]]);
    const before = await bench.items();
    expect(await bench.handler({ Records: shuffled }, contextOf())).to.deep.equal(SERVED);
    expect(await bench.items(), "nothing to do, nothing written").to.deep.equal(before);
  });

  it("opens no tenant and writes nothing for forged records", async () => {
    const records = await begin();
    await bench.handler({ Records: records }, contextOf());
    const before = await bench.items();
    const keys = (pk: string, sk: string) => ({ dynamodb: { Keys: { pk: { S: pk }, sk: { S: sk } }, SequenceNumber: "1" } });
    const forged: unknown[] = [
      {},
      { Records: [] },
      {
        Records: [
          {},
          { dynamodb: {} },
          { dynamodb: { Keys: {} } },
          { dynamodb: { Keys: { pk: { N: "1" }, sk: { S: "open" } } } },
        ],
      },
      {
        Records: [
          keys("T#nobody#L", "open"),
          keys("T#nobody#A#summing-calculators#c", "commit#0000000000000000"),
          keys("T#../acme#L", "open"),
          keys("T##L", "open"),
          keys(`T#${"x".repeat(70)}#L`, "open"),
          keys("T#__proto__#L", "open"),
          keys("R#", "acme"),
          keys("T#acme#V#totals", "commit#0000000000000000"),
          keys("T#acme#A#summing-calculators#c", "commit#9999999999999999"),
        ],
      },
    ];
    for (const event of forged) {
      expect(await bench.handler(event as StreamBatch, contextOf()), JSON.stringify(event)).to.deep.equal(SERVED);
      expect(await bench.items(), JSON.stringify(event)).to.deep.equal(before);
    }
  });

  it("asks again for the tenants that failed only, from their first record on", async () => {
    let isDown = true;
    class Throttled extends DelegatingStore {
      override async peek(tenant: string, thread: string): Promise<Peek> {
        if (isDown && tenant === "globex") throw new StoreError("throttled", { retryable: true });
        return super.peek(tenant, thread);
      }
    }
    const records = await begin((store) => new Throttled(store));
    const first = records.find((record) => tenantOf(record) === "globex");
    const answer = await bench.handler({ Records: records }, contextOf());
    expect(answer).to.deep.equal({ batchItemFailures: [{ itemIdentifier: numberOf(first) }] });
    expect(await stepsOfAll()).to.deep.equal([1, 0, 3]);
    expect(bench.lines.filter(({ severity, tenant }) => severity === "ERROR" && tenant === "globex")).not.to.have.length(0);
    isDown = false;
    // As Lambda does it: everything from the reported record on.
    const again = records.slice(records.indexOf(first as DynamoDBRecord));
    expect(await bench.handler({ Records: again }, contextOf())).to.deep.equal(SERVED);
    expect(await stepsOfAll()).to.deep.equal([1, 2, 3]);
  });

  it("hands over what there is no time for, and begins nothing", async () => {
    const records = await begin();
    const before = await bench.items();
    const firsts = TENANTS.map((tenant) => numberOf(records.find((record) => tenantOf(record) === tenant)));
    const answer = await bench.handler({ Records: records }, contextOf(1_000));
    expect(answer).to.deep.equal({ batchItemFailures: firsts.map((itemIdentifier) => ({ itemIdentifier })) });
    expect(await bench.items()).to.deep.equal(before);
  });

  it("hands over in the middle of a long log, and goes on where it stopped", async () => {
    let isSlow = true;
    class Slow extends DelegatingStore {
      override async read(...given: Parameters<DelegatingStore["read"]>): ReturnType<DelegatingStore["read"]> {
        if (isSlow) await setTimeout(200);
        return super.read(...given);
      }
    }
    bench = await doorbellBench((store) => new Slow(store));
    await bench.add("acme", 230);
    const batch = { Records: await bench.table.records() };
    // 300 ms beside the margin: enough for one reading of 100 commits, not for three.
    const { batchItemFailures } = await bench.handler(batch, contextOf(2_300));
    expect(batchItemFailures).to.deep.equal([{ itemIdentifier: numberOf(batch.Records.find(tenantOf)) }]);
    expect(await bench.steps("acme")).to.be.lessThan(230);
    isSlow = false;
    expect(await bench.handler(batch, contextOf())).to.deep.equal(SERVED);
    expect(await bench.steps("acme")).to.equal(230);
  });

  it("asks again for a tenant that is not finished, and for no other: a failing handler or another reader holds nobody up", async () => {
    const records = await begin();
    for (const status of ["unknown", "idle", "blocked", "leased", "unfinished"] as const) {
      const handler = streamHandler(
        async (tenant) => ({ tenant, status: tenant === "globex" ? status : "idle", handled: 1 }),
        () => {},
      );
      const { batchItemFailures } = await handler({ Records: records }, contextOf());
      const first = { itemIdentifier: numberOf(records.find((record) => tenantOf(record) === "globex")) };
      expect(batchItemFailures, status).to.deep.equal(status === "unfinished" ? [first] : []);
    }
  });

  it("gives each of many tenants its share of the time", async () => {
    const records = await begin();
    const budgets: number[] = [];
    const handler = streamHandler(
      async (tenant, { budget }) => {
        budgets.push(budget);
        return { tenant, status: "idle", handled: 0 };
      },
      () => {},
    );
    const of = (count: number) =>
      Array.from({ length: count }, (_, index) => ({
        dynamodb: { Keys: { pk: { S: `T#t${index}#L` }, sk: { S: "open" } }, SequenceNumber: String(index) },
      }));
    await handler({ Records: of(8) }, contextOf(30_000));
    expect(Math.min(...budgets), "as many as are read at once: all the time").to.be.greaterThan(27_000);
    budgets.length = 0;
    await handler({ Records: of(80) }, contextOf(30_000));
    expect(budgets[0]).to.be.within(2_000, 3_500);
    expect(budgets).to.have.length(80);
    expect(records).not.to.have.length(0);
  });
});
