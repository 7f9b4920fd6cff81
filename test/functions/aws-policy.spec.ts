import { expect } from "chai";
import type { IDocument } from "../../adapters/dynamodb/index.ts";
import { Actor } from "../../core/index.ts";
import { tablePolicy } from "../../functions/aws/deploy/policies.ts";
import { streamHandler } from "../../functions/aws/stream-handler.ts";
import { compose, examples } from "../../functions/composition.ts";
import { doorbell } from "../../functions/doorbell.ts";
import { type DoorbellBench, doorbellBench } from "../support/aws-doorbell.ts";
import { contextOf } from "../support/aws-events.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { allows } from "../support/rules-policy.ts";
import { type DynamoDbRequest, questionsOf } from "../support/rules-requests.ts";

/** A document client that tells of each request before it sends it. */
function watched(document: IDocument, tell: (request: DynamoDbRequest) => void): IDocument {
  return new Proxy(document, {
    get: (target, name) => {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (input: DynamoDbRequest["input"], ...rest: unknown[]) => {
        tell({ method: String(name) as DynamoDbRequest["method"], input });
        return method.call(target, input, ...rest);
      };
    },
  });
}

(hasDynamoDb() ? describe : describe.skip)("The function of the stream, with reactions", () => {
  let bench: DoorbellBench;
  before(async () => {
    bench = await doorbellBench();
  });
  after(() => bench.close());

  it("asks of the table only what its function's policy allows", async () => {
    await bench.add("acme", 1);
    // Disbursing schedules a deadline: a reaction, which sends commands while it reads.
    const manager = new Actor({ id: "mia", tenant: "acme", roles: ["manager", "user"] });
    const lending = compose(bench.store, examples).handler;
    for (const [name, data] of [
      ["CreateLoan", { borrower: "ada", amount: 5 }],
      ["ApproveLoan", {}],
      ["DisburseLoan", {}],
    ] as const)
      await lending.command(manager, name, { ...data, aggregateId: "loan1" });
    const records = await bench.table.records();
    const arnOf = (table: string) => `arn:aws:dynamodb:eu-central-1:123456789012:table/${table}`;
    const refused: string[] = [];
    let asked = 0;
    const store = bench.table.store({}, (document) =>
      watched(document, (request) => {
        for (const question of questionsOf(request, {}, arnOf)) {
          asked++;
          if (!allows(tablePolicy("onStream", arnOf(bench.table.table)), question)) refused.push(JSON.stringify(question));
        }
      }),
    );
    const ring = doorbell({ store, service: compose(store, examples) });
    await streamHandler(ring, () => {})({ Records: records }, contextOf());
    await store.close();
    expect(await bench.steps("acme")).to.equal(1);
    expect(refused).to.deep.equal([]);
    expect(asked).to.be.greaterThan(10);
    const written = (await bench.store.read("acme", 0, 100)).commits.map(({ type, command }) => `${type} ${command}`);
    expect(written.at(-1)).to.equal("evenant-deadlines SetDeadline");
  });
});
