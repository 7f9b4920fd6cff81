import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, defaultPlatform, type IPlatform, type ITracer, StreamReader } from "../../core/index.ts";
import { Deadlines, ScheduledCommand } from "../../core/reactions.ts";
import { Loan, PaymentWatch } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";

describe("A reader that runs while a deadline is a month away", () => {
  it("sleeps no longer than a minute at a time, and does not poll without end", async () => {
    const store = new MemoryEventStore();
    const sleeps: number[] = [];
    const platform: IPlatform = {
      ...defaultPlatform,
      sleep: (ms, signal) => {
        sleeps.push(ms);
        return defaultPlatform.sleep(ms, signal);
      },
    };
    let polls = 0;
    const tracer: ITracer = {
      trace: (tell) => {
        if (tell().method === "poll") polls += 1;
      },
    };
    const handler = new CommandHandler(store, [Loan, ScheduledCommand]);
    const reader = new StreamReader(store, { platform, tracer });
    const watch = new PaymentWatch(handler);
    const actor = actorOf("acme");
    for (const step of ["CreateLoan", "ApproveLoan", "DisburseLoan"] as const)
      await handler.command(actor, step, { aggregateId: "loan", borrower: "Bob", amount: 1 });
    const stop = new AbortController();
    const running = reader.run("all", "payments", [watch, new Deadlines(reader, [watch])], { signal: stop.signal });
    expect(await reader.waitFor("acme", "payments", 4)).to.equal(true);
    await defaultPlatform.sleep(100);
    const before = polls;
    await defaultPlatform.sleep(300);
    stop.abort();
    await running;
    expect(polls - before).to.be.at.most(2);
    expect(Math.max(...sleeps)).to.be.at.most(60_000);
    await store.close();
  });
});
