import { expect } from "chai";
import { DynamoDbEventStore, type IDocument } from "../../adapters/dynamodb/index.ts";
import { StreamReader } from "../../core/index.ts";
import { Bookkeeper, tellerOf, walletsOn } from "../contract/wallet.ts";
import { DynamoDbModel } from "../support/dynamodb-model.ts";
import { gate } from "../support/gate.ts";
import { HurriedClock } from "../support/turned-clock.ts";

const TENANT = "acme";

/**
 * Two processes on a table. The transaction in which the first stores its progress shows the thread, then waits until `rest` is opened
 * before it shows the views: plain reads may see a transaction of DynamoDB so, until it is acknowledged.
 */
function scene() {
  const clock = new HurriedClock();
  const model = new DynamoDbModel();
  const direct = model.direct();
  const [shown, rest] = [gate(), gate()];
  const torn: IDocument = {
    ...direct,
    transactWrite: async (input) => {
      const applying = model.begin(input);
      const thread = applying.left.findIndex(({ item }) => item?.leasedUntil !== undefined);
      if (thread >= 0 && input.TransactItems.some(({ Put }) => String(Put?.Item.pk).includes("#V#"))) {
        model.apply(applying, thread);
        shown.open();
        await rest.passed;
      }
      while (applying.left.length > 0) model.apply(applying, 0);
      return {};
    },
  };
  const [slow, quick] = [torn, direct].map((document) => {
    const store = new DynamoDbEventStore(document, { table: "model", now: () => clock.now() });
    return { store, reader: new StreamReader(store, { platform: clock }) };
  }) as [Process, Process];
  const deposit = () =>
    walletsOn({ store: quick.store, clock }).command(tellerOf(TENANT), "Deposit", { aggregateId: "w", amount: 1 });
  const poll = ({ reader }: Process) => reader.poll(TENANT, "main", [new Bookkeeper()]);
  return { clock, shown, rest, slow, quick, deposit, poll };
}

interface Process {
  readonly store: DynamoDbEventStore;
  readonly reader: StreamReader;
}

describe("A transaction of DynamoDB of which readers see some items before others", () => {
  it("keeps its thread leased until all of its views are there, so that nobody folds on an older one", async () => {
    const { clock, shown, rest, slow, quick, deposit, poll } = scene();
    await deposit();
    const storing = poll(slow);
    await shown.passed;
    await deposit();
    const other = await poll(quick);
    expect(other.status).to.equal("leased");
    rest.open();
    expect((await storing).status).to.equal("progressed");
    while ((await poll(quick)).status !== "idle") clock.turn(15_000);
    expect(await quick.reader.views(TENANT, new Bookkeeper()).get("w")).to.deep.equal({ balance: 2, payments: 2 });
  });

  it("leaves its thread leased where its process died, for some seconds", async () => {
    const { clock, shown, slow, quick, deposit, poll } = scene();
    await deposit();
    void poll(slow);
    await shown.passed;
    await deposit();
    const { thread } = await quick.store.peek(TENANT, "main");
    expect(thread.leasedUntil - clock.now()).to.be.within(4_000, 30_000);
    expect((await poll(quick)).status).to.equal("leased");
  });
});
