import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, defaultPlatform, type IPlatform, type ITracer, StreamReader, type Trace } from "../../core/index.ts";
import { Deadlines, ScheduledCommand } from "../../core/reactions.ts";
import { Loan, PaymentWatch } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { DELAY, tradeOn } from "./trader.ts";

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

describe("A reader that runs while the reaction of a deadline is missing", () => {
  it("goes on for everything else, and tells", async () => {
    const [store, clock, stop] = [new MemoryEventStore(), new TurnedClock(), new AbortController()];
    for (const tenant of ["left", "well"]) {
      const { note, start } = tradeOn({ store, clock }, tenant);
      await note("a", "schedule");
      const { poll } = start();
      while ((await poll()).status !== "idle");
    }
    clock.turn(DELAY);
    const told: Trace[] = [];
    const tracer = { trace: (make: () => Trace) => told.push(make()) };
    const reader = new StreamReader(store, { platform: clock, tracer });
    const heard: string[] = [];
    const listener = { name: "Listener", events: { Noted: (tenant: string) => void heard.push(tenant) } };
    const handlers = [listener, new Deadlines(reader, [], { platform: clock })];
    const running = reader.run("all", "trade", handlers, { signal: stop.signal, interval: 10 });
    const errors = () => told.filter(({ method }) => method === "error");
    const hears = async (count: number) => {
      while (heard.length < count || errors().length < 2) await Promise.race([running, clock.sleep(5)]);
    };
    try {
      await hears(2);
      for (const tenant of ["left", "well"]) await tradeOn({ store, clock }, tenant).note("b", "told");
      await hears(4);
    } finally {
      stop.abort();
      await running;
    }
    expect(heard.sort()).to.deep.equal(["left", "left", "well", "well"]);
    expect(errors().map(({ tenant }) => tenant)).to.have.members(["left", "well"]);
    expect(String(errors()[0]?.error)).to.include("Trader");
  });
});
