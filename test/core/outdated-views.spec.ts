import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, Err, StreamReader, type Trace } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

class NextAccounts extends Accounts {
  override readonly name = "Accounts";
  override readonly version = 1;
}

describe("A reader of many tenants", () => {
  it("reads the others while the views of one wait for their rebuild, tells so, and goes on with it afterwards", async () => {
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Account]);
    const open = (tenant: string, aggregateId: string) =>
      handler.command(actorOf(tenant), "OpenAccount", { owner: "ada", aggregateId });
    await open("old", "a");
    await pollUntilIdle(new StreamReader(store), "old", "main", [new Accounts()]);
    await open("old", "b");
    await open("new", "a");

    const traces: Trace[] = [];
    const reader = new StreamReader(store, { tracer: { trace: (make) => void traces.push(make()) } });
    const read = async (tenants: readonly string[], tenant: string, position: number) => {
      const stop = new AbortController();
      const run = reader.run(tenants, "main", [new NextAccounts()], { signal: stop.signal, interval: 10 });
      try {
        return await reader.waitFor(tenant, "main", position, { handler: "Accounts" });
      } finally {
        stop.abort();
        await run;
      }
    };
    expect(await read(["old", "new"], "new", 1)).to.equal(true);
    expect((await reader.lag("old", "main")).Accounts).to.include({ commits: 1, isBlocked: false });
    const told = traces.find(({ method, tenant }) => method === "error" && tenant === "old");
    expect(Err.is(told?.error, "outdated")).to.equal(true);

    await reader.rebuild("old", "main", new NextAccounts());
    await open("old", "c");
    expect(await read(["old", "new"], "old", 3)).to.equal(true);
    const { views } = await reader.views("old", new NextAccounts()).list();
    expect(views.map(({ id }) => id)).to.deep.equal(["a", "b", "c"]);
  });
});
