import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { tellerOf, Wallet } from "../contract/wallet.ts";

const PAGE = 10;

describe("A reader that runs for many tenants, one at a time", () => {
  it("gives each its turn before one that is far behind gets its second", async () => {
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Wallet]);
    const quiet = ["b", "c", "d", "e", "f"];
    for (let n = 0; n < 5 * PAGE; n++) await handler.command(tellerOf("a"), "Deposit", { aggregateId: "w", amount: 1 });
    for (const tenant of quiet) await handler.command(tellerOf(tenant), "Deposit", { aggregateId: "w", amount: 1 });
    const stop = new AbortController();
    const heard: string[] = [];
    const listener = {
      name: "Listener",
      events: {
        Paid: async (tenant: string) => {
          // Meanwhile the others come into the queue.
          if (heard.length === 0) await setImmediate();
          heard.push(tenant);
          if (heard.length === 5 * PAGE + quiet.length) stop.abort();
        },
      },
    };
    await new StreamReader(store).run("all", "main", [listener], { signal: stop.signal, concurrency: 1, limit: PAGE });
    const noisy = (pages: number) => Array(pages * PAGE).fill("a");
    expect(heard).to.deep.equal([...noisy(1), ...quiet, ...noisy(4)]);
  });
});
