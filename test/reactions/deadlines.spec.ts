import { expect } from "chai";
import { Actor, Err, StreamReader, type Trace } from "../../core/index.ts";
import { Deadlines, REACTOR } from "../../core/reactions.ts";
import { listAll } from "../contract/reading.ts";
import { MortalStore } from "../support/mortal-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore } from "../support/stores.ts";
import { DELAY, tradeOn } from "./trader.ts";

onEveryStore("A deadline", (stage) => {
  const waiting = (tenant: string) => listAll(stage.store, tenant, "evenant-deadlines");

  function tradeIn(tenant = stage.newTenant()) {
    const trade = tradeOn(stage, tenant);
    const { trader, reader, poll } = trade.start();
    /** Polls until nothing more comes of it now. */
    const settle = async () => {
      for (let polls = 0, idle = 0; idle < 2; polls++) {
        if (polls > 200) throw new Error("the thread does not come to rest");
        idle = (await poll()).status === "idle" ? idle + 1 : 0;
      }
    };
    return { ...trade, tenant, trader, reader, poll, settle };
  }

  it("tells when the next one comes, is met then and not before, and is gone", async () => {
    const { tenant, note, poll, settle, balance } = tradeIn();
    await note("a", "schedule");
    const at = stage.clock.now();
    await settle();
    expect((await poll()).retryAt).to.be.within(at + DELAY - 5_000, at + DELAY);
    expect(await balance("due-a")).to.equal(0);
    stage.clock.turn(DELAY);
    await settle();
    expect(await balance("due-a")).to.equal(1);
    expect(await waiting(tenant)).to.deep.equal([]);
    stage.clock.turn(DELAY);
    await settle();
    expect(await balance("due-a")).to.equal(1);
    expect((await poll()).retryAt).to.equal(undefined);
  });

  it("wakes the reader that runs, long before it would look again by itself", async () => {
    const { tenant, trader, reader, note, balance } = tradeIn();
    const stop = new AbortController();
    const handlers = [trader, new Deadlines(reader, [trader], { platform: stage.clock })];
    const running = reader.run([tenant], "trade", handlers, { signal: stop.signal });
    try {
      await note("a", "schedule soon");
      const end = Date.now() + 15_000;
      while ((await balance("due-a")) === 0 && Date.now() < end) await Promise.race([running, stage.clock.sleep(20)]);
    } finally {
      stop.abort();
      await running;
    }
    expect(await balance("due-a")).to.equal(1);
  });

  it("is taken back, and set anew", async () => {
    const { note, settle, balance } = tradeIn();
    await note("a", "schedule");
    await settle();
    await note("a", "cancel");
    await settle();
    stage.clock.turn(DELAY);
    await settle();
    expect(await balance("due-a")).to.equal(0);
    await note("a", "schedule");
    await settle();
    stage.clock.turn(DELAY / 2);
    await note("a", "schedule");
    await settle();
    stage.clock.turn(DELAY / 2 + 1_000);
    await settle();
    expect(await balance("due-a"), "the first time").to.equal(0);
    stage.clock.turn(DELAY / 2);
    await settle();
    expect(await balance("due-a"), "the second time").to.equal(1);
  });

  it("is met once, although each process that meets it dies at another step", async () => {
    const { tenant, note, settle, balance } = tradeIn();
    await note("a", "schedule");
    await settle();
    stage.clock.turn(DELAY);
    for (let step = 1; step <= 11; step++) {
      const store = new MortalStore(stage.store, step);
      const dying = tradeOn({ store, clock: stage.clock }, tenant).start();
      await dying.poll().catch((error: unknown) => {
        if (!store.isDead) throw error;
      });
      stage.clock.turn(1_001);
    }
    await settle();
    expect(await balance("due-a")).to.equal(1);
    expect(await waiting(tenant)).to.deep.equal([]);
  });

  it("is still there, although the process died after it was set, and what cancels its forerunner comes again", async () => {
    for (let step = 3; step <= 8; step++) {
      const { tenant, note, settle, balance } = tradeIn();
      await note("a", "anew");
      const store = new MortalStore(stage.store, step);
      const dying = tradeOn({ store, clock: stage.clock }, tenant).start();
      await dying.poll().catch((error: unknown) => {
        if (!store.isDead) throw error;
      });
      stage.clock.turn(1_001);
      await settle();
      stage.clock.turn(DELAY);
      await settle();
      expect(await balance("due-a"), `step ${step}`).to.equal(1);
    }
  });

  it("is met once by four readers at the same time", async () => {
    const { tenant, note, settle, balance } = tradeIn();
    await note("a", "schedule");
    await settle();
    stage.clock.turn(DELAY);
    // Together on purpose: each finds it due.
    await Promise.all([1, 2, 3, 4].map(() => tradeOn(stage, tenant).start().poll()));
    await settle();
    expect(await balance("due-a")).to.equal(1);
  });

  it("goes to onRefused where its command is refused, and does not come again", async () => {
    const { tenant, note, settle, trader, notes } = tradeIn();
    await note("poor", "withdraw later");
    await settle();
    stage.clock.turn(DELAY);
    await settle();
    await settle();
    expect(trader.refusals.map(({ command, error }) => [command, error.code])).to.deep.equal([["Withdraw", "precondition"]]);
    expect(await notes("refused")).to.equal(1);
    expect(await waiting(tenant)).to.deep.equal([]);
  });

  it("is met in the order of the times, however many are due", async function () {
    this.timeout(120_000);
    const { tenant, note, settle, balance } = tradeIn();
    const count = 60;
    for (let n = 0; n < count; n++) await note(`a${n}`, "schedule");
    await settle();
    const times = (await waiting(tenant)).map(({ value }) => Number(value.at));
    expect(times).to.have.length(count);
    expect(times).to.deep.equal([...times].sort((a, b) => a - b));
    stage.clock.turn(DELAY);
    await settle();
    for (let n = 0; n < count; n++) expect(await balance(`due-a${n}`), `${n}`).to.equal(1);
    expect(await waiting(tenant)).to.deep.equal([]);
  });

  it("moves with its tenant to another name, and is met there", async () => {
    const { tenant, note, settle } = tradeIn();
    await note("a", "schedule");
    await settle();
    const moved = tradeIn();
    await stage.store.import(moved.tenant, stage.store.export(tenant));
    stage.clock.turn(DELAY);
    await moved.settle();
    expect(await moved.balance("due-a")).to.equal(1);
    expect(await tradeOn(stage, tenant).balance("due-a"), "the tenant it came from").to.equal(0);
  });

  it("whose reaction is missing waits for it, and is told of; the others are met", async () => {
    const { tenant, trader, note, settle, handler, balance } = tradeIn();
    await note("a", "schedule");
    const reactor = new Actor({ id: "reaction:Other", tenant, roles: [REACTOR] });
    const data = JSON.stringify({ aggregateId: "due-b", amount: 1 });
    const deadline = { reaction: "Other", at: stage.clock.now() + DELAY, command: "Deposit", data };
    const ids = { correlationId: "c", causationId: "c" };
    await handler.command(reactor, "SetDeadline", { aggregateId: "Other/b", ...deadline, ...ids });
    await settle();
    stage.clock.turn(DELAY + 10_000);
    const errors: Trace[] = [];
    const tracer = {
      trace: (make: () => Trace) => {
        const trace = make();
        if (trace.method === "error") errors.push(trace);
      },
    };
    const reader = new StreamReader(stage.store, { platform: stage.clock, tracer });
    const other = { name: "Other", roles: ["teller"], commands: handler, onRefused: () => {} };
    const withoutTrader = new Deadlines(reader, [other], { platform: stage.clock });
    for (let polls = 0; polls < 5; polls++) await reader.poll(tenant, "trade", [withoutTrader]);
    expect([await balance("due-a"), await balance("due-b")]).to.deep.equal([0, 1]);
    expect(errors).to.have.length(1);
    expect(errors[0]).to.include({ tenant, thread: "trade", handler: "evenant-deadlines" });
    expect(Err.is(errors[0]?.error, "precondition") && errors[0].error.message).to.include("Trader");
    expect((await waiting(tenant)).map(({ value }) => value.reaction)).to.deep.equal(["Trader"]);
    await pollUntilIdle(reader, tenant, "trade", [new Deadlines(reader, [trader], { platform: stage.clock })]);
    expect(await balance("due-a")).to.equal(1);
  });
});
