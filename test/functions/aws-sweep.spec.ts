import { expect } from "chai";
import { sweepPlace } from "../../adapters/dynamodb/index.ts";
import { sweepHandler } from "../../functions/aws/sweep-handler.ts";
import { jsonLog, type Log, type Severity } from "../../functions/log.ts";
import { sweeper } from "../../functions/sweep.ts";
import { type DoorbellBench, doorbellBench } from "../support/aws-doorbell.ts";
import { contextOf } from "../support/aws-events.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";

const TENANTS = ["a", "b", "c", "d", "e"];
/** What EventBridge sends; nothing in it matters. */
const SCHEDULED = {
  version: "0",
  id: "53dc4d37",
  "detail-type": "Scheduled Event",
  source: "aws.events",
  resources: [],
  detail: {},
};

(hasDynamoDb() ? describe : describe.skip)("The scheduled sweep on Lambda", () => {
  let bench: DoorbellBench;
  let lines: Record<string, unknown>[];
  const log: Log = jsonLog((line) => lines.push(JSON.parse(line)));
  beforeEach(async () => {
    lines = [];
    bench = await doorbellBench();
    for (const tenant of TENANTS) await bench.add(tenant, 2);
  });
  afterEach(() => bench.close());

  /** The handler of an instance that has just started: it remembers nothing. */
  const coldStart = (polls = 10_000) => {
    const { store, service, table } = bench;
    const place = sweepPlace(table.document, { table: table.table });
    return sweepHandler(sweeper({ store, service, place, log }), { polls }, log);
  };
  const severities = (): readonly (Severity | unknown)[] => lines.map(({ severity }) => severity);

  it("reads every tenant whose doorbells were lost", async () => {
    const swept = await coldStart()(SCHEDULED, contextOf());
    expect(swept).to.deep.include({ tenants: 5, handled: 10, failed: 0, isComplete: true });
    expect(await Promise.all(TENANTS.map((tenant) => bench.steps(tenant)))).to.deep.equal([2, 2, 2, 2, 2]);
    expect(severities()).to.deep.equal(["INFO"]);
    const again = await coldStart()(SCHEDULED, contextOf());
    expect(again).to.deep.include({ tenants: 5, handled: 0, isComplete: true });
  });

  it("goes on where the last one stopped, on whichever instance that was", async () => {
    for (const expected of [
      [2, 2, 0, 0, 0],
      [2, 2, 2, 2, 0],
      [2, 2, 2, 2, 2],
    ]) {
      await coldStart(2)(SCHEDULED, contextOf());
      expect(await Promise.all(TENANTS.map((tenant) => bench.steps(tenant)))).to.deep.equal(expected);
    }
    expect(severities()).to.include("WARNING");
  });

  it("begins nothing when there is no time", async () => {
    const swept = await coldStart()(SCHEDULED, contextOf(5_000));
    expect(swept.isComplete).to.equal(false);
    expect(swept.handled).to.equal(0);
  });
});
