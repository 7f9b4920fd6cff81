import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type BatchItem, CommandHandler, StreamReader } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

describe("A handler that takes batches and parks aggregates", () => {
  it("gets no later event of an aggregate whose event is parked, in no batch, and all of them in order on retry", async () => {
    const store = new MemoryEventStore();
    const actor = actorOf("t");
    const handler = new CommandHandler(store, [Account]);
    const heard: string[] = [];
    let isBroken = true;
    const take = ({ event, commit }: Pick<BatchItem, "event" | "commit">) => {
      const what = `${commit.id}@${commit.version}`;
      if (isBroken && what === "a@0") throw new Error("poison");
      heard.push(`${what} ${event.name}`);
    };
    const accounts = {
      name: "Accounts",
      events: {
        AccountOpened: (_tenant: string, event: BatchItem["event"], commit: BatchItem["commit"]) => take({ event, commit }),
        TransactionRecorded: (_tenant: string, event: BatchItem["event"], commit: BatchItem["commit"]) => take({ event, commit }),
      },
      batch: async (_tenant: string, items: readonly BatchItem[]) => {
        for (const [finished, item] of items.entries()) {
          try {
            take(item);
          } catch (error) {
            return { finished, error };
          }
        }
        return { finished: items.length };
      },
    };
    for (const aggregateId of ["a", "b"]) await handler.command(actor, "OpenAccount", { owner: "ada", aggregateId });
    for (const aggregateId of ["a", "b", "a", "b"])
      await handler.command(actor, "RecordTransactions", { amounts: [1], text: "one", aggregateId });
    const reader = new StreamReader(store, { retries: 0, onError: "park", park: "aggregate" });
    await pollUntilIdle(reader, "t", "main", [accounts]);
    expect(heard).to.deep.equal(["b@0 AccountOpened", "b@1 TransactionRecorded", "b@2 TransactionRecorded"]);
    // Later polls hold it back as well.
    await handler.command(actor, "RecordTransactions", { amounts: [1], text: "one", aggregateId: "a" });
    await pollUntilIdle(reader, "t", "main", [accounts]);
    expect(heard.length).to.equal(3);
    isBroken = false;
    expect(await reader.retryParked("t", "main", accounts)).to.deep.equal({ retried: 4, failed: 0, waiting: 0 });
    expect(heard.slice(3)).to.deep.equal([
      "a@0 AccountOpened",
      "a@1 TransactionRecorded",
      "a@2 TransactionRecorded",
      "a@3 TransactionRecorded",
    ]);
  });
});
