import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Actor, encode, LIMITS, type StreamReader, type Trace, ValidationError } from "../../core/index.ts";
import { Deadlines, REACTOR, ScheduledCommand } from "../../core/reactions.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { DELAY, tradeOn } from "./trader.ts";

const HOUR = 60 * 60 * 1_000;

describe("A deadline that its view cannot be trusted with", () => {
  function stage() {
    const clock = new TurnedClock();
    const store = new MemoryEventStore({ now: () => clock.now() });
    const trade = tradeOn({ store, clock }, "t");
    const { trader, reader, poll } = trade.start();
    const settle = async () => {
      for (let polls = 0, idle = 0; idle < 2; polls++) {
        if (polls > 100) throw new Error("the thread does not come to rest");
        idle = (await poll()).status === "idle" ? idle + 1 : 0;
      }
    };
    return { ...trade, clock, store, trader, reader, poll, settle };
  }

  it("is not met after it was taken back, although the projection is built anew in small steps", async () => {
    const { clock, reader, trader, note, balance, settle } = stage();
    await note("a", "schedule");
    await settle();
    await note("a", "cancel");
    await settle();
    clock.turn(DELAY);
    const deadlines = new Deadlines(reader, [trader], { platform: clock });
    await reader.rewind("t", "trade", deadlines);
    // The first step ends where the deadline is set, the next where it is taken back.
    for (let step = 0; step < 10; step++) await reader.poll("t", "trade", [deadlines], { limit: 1 });
    expect(await balance("due-a")).to.equal(0);
  });

  it("is met in its tenant's next life, by the process that met its like in the last one", async () => {
    const { clock, store, note, balance, settle } = stage();
    for (let life = 0; life < 2; life++) {
      const wanted = life === 0 ? "the first life" : "the second life";
      await note("a", "schedule");
      await settle();
      clock.turn(DELAY);
      await settle();
      expect(await balance("due-a"), wanted).to.equal(1);
      await store.erase("t");
      clock.turn(HOUR + 1_000);
      await store.open("t");
    }
  });

  it("waits alone where its command cannot even be read, and is not sent again by each poll", async () => {
    const { actor, clock, store, handler, note, balance, poll, settle } = stage();
    await note("a", "schedule");
    await settle();
    clock.turn(1_000);
    await note("b", "schedule");
    await handler.redact("t", ScheduledCommand, "Trader/a", ({ payload }) => ({ ...payload, data: "gone" }));
    const { trader, reader } = tradeOn({ store, clock }, "t").start();
    await reader.rewind("t", "trade", new Deadlines(reader, [trader]));
    await settle();
    clock.turn(DELAY + 1_000);
    await settle();
    expect(await balance("due-b")).to.equal(1);
    expect((await poll()).retryAt).to.be.within(clock.now() + 1_000, clock.now() + 10_000);
    expect(await handler.load(actor, ScheduledCommand, "Trader/a"))
      .to.have.property("dueAt")
      .that.is.a("number");
  });

  it("is met after a redaction, which moves its version on", async () => {
    const { clock, handler, note, balance, poll, settle } = stage();
    for (const wish of ["schedule", "anew"] as const) await note("a", wish);
    await settle();
    await handler.redact("t", ScheduledCommand, "Trader/a", ({ payload }) => ({ ...payload, correlationId: "gone" }));
    clock.turn(DELAY);
    await settle();
    expect(await balance("due-a")).to.equal(1);
    expect((await poll()).retryAt).to.equal(undefined);
  });

  it("that fails is not sent again before its time, however often the thread is polled", async () => {
    const clock = new TurnedClock();
    const store = new MemoryEventStore({ now: () => clock.now() });
    let sent = 0;
    const trade = tradeOn({ store, clock }, "t", (inner) => ({
      command: (actor, name, data, options) => {
        if ((data as { aggregateId?: string }).aggregateId !== "due-a") return inner.command(actor, name, data, options);
        sent++;
        return Promise.reject(new Error("no luck"));
      },
    }));
    const { trader, reader } = trade.start();
    const traces: Trace[] = [];
    const tracer = { trace: (make: () => Trace) => traces.push(make()) };
    const deadlines = new Deadlines(reader, [trader], { platform: clock, tracer });
    const poll = () => reader.poll("t", "trade", [trader, deadlines]);
    await trade.note("a", "schedule");
    for (let polls = 0; polls < 5; polls++) await poll();
    clock.turn(DELAY);
    for (let polls = 0; polls < 5; polls++) await poll();
    expect(sent).to.equal(1);
    expect(traces).to.have.length(1);
    expect(traces[0]).to.deep.include({ method: "error", tenant: "t", handler: "evenant-deadlines", command: "Deposit" });
    expect(traces[0]?.error).to.have.property("message", "no luck");
    clock.turn(10_000);
    for (let polls = 0; polls < 5; polls++) await poll();
    expect(sent).to.equal(2);
  });

  it("is refused where its view would be too large to keep, instead of blocking all that come after it", async () => {
    const { handler } = stage();
    const actor = new Actor({ id: "reaction:Trader", name: "Trader", tenant: "t", roles: [REACTOR] });
    const deadline = { reaction: "Trader", at: 1, command: "Deposit", data: "", correlationId: "c", causationId: "c" };
    const room = LIMITS.commitBytes - encode(deadline).bytes - 60;
    const set = (size: number) =>
      handler.command(actor, "SetDeadline", { aggregateId: "k".repeat(200), ...deadline, data: "x".repeat(size) });
    const error = await rejects(ValidationError, set(room));
    expect(error.message).to.include("deadline");
    expect((await set(room - 300)).events).to.have.length(1);
  });

  it("is refused where its key is too long for a view, instead of blocking all that come after it", async () => {
    const { clock, trader, note, notes, balance, poll, settle } = stage();
    const [fits, tooLong] = ["k".repeat(233), "k".repeat(234)];
    for (const id of [tooLong, fits, "a"]) await note(id, "schedule");
    await settle();
    expect((await poll()).blocked).to.deep.equal([]);
    expect(trader.refusals.map(({ command, error }) => [command, error.code])).to.deep.equal([
      ["SetDeadline", "invalid_argument"],
    ]);
    expect(await notes("refused")).to.equal(1);
    clock.turn(DELAY);
    await settle();
    expect(await balance("due-a")).to.equal(1);
    expect(await balance(`due-${fits}`)).to.equal(1);
  });

  it("is refused where its command's data are no JSON, as they are when sent at once, instead of being changed", async () => {
    const { trader, note, notes, settle } = stage();
    await note("a", "schedule no number");
    await settle();
    expect(trader.refusals.map(({ command, error }) => [command, error.code, error.message])).to.deep.equal([
      ["SetDeadline", "validation", "data.amount: is NaN: give a finite number"],
    ]);
    expect(await notes("refused")).to.equal(1);
  });

  it("that fails is left alone for its time, also beside a thousand others that fail", async () => {
    const clock = new TurnedClock();
    const views = Array.from({ length: 1_100 }, (_, n) => {
      const id = `R/${n}`;
      const waiting = { reaction: "R", at: 1, command: "C", data: "{}", correlationId: "c", causationId: "c" };
      return { id, value: { ...waiting, id, version: 0 } };
    });
    const reader = { views: () => ({ list: async () => ({ views }) }) } as unknown as StreamReader;
    let sent = 0;
    const command = async (_actor: Actor, name: string) => {
      if (name === "C") sent++;
      if (name === "C") throw new Error("no luck");
    };
    const sender = { name: "R", roles: [], commands: { command }, onRefused: () => {} };
    const deadlines = new Deadlines(reader, [sender], { platform: clock });
    for (let polls = 0; polls < 3; polls++) await deadlines.due("t");
    expect(sent).to.equal(1_100);
    clock.turn(10_000);
    await deadlines.due("t");
    expect(sent).to.equal(2_200);
  });

  it("stops between two deadlines when the signal aborts", async () => {
    const { clock, reader, trader, note, balance, settle } = stage();
    for (const id of ["a", "b"]) await note(id, "schedule");
    await settle();
    clock.turn(DELAY);
    const stop = new AbortController();
    stop.abort();
    const deadlines = new Deadlines(reader, [trader], { platform: clock });
    const now = clock.now();
    expect(await deadlines.due("t", stop.signal)).to.be.at.least(now);
    expect(await balance("due-a")).to.equal(0);
  });
});
