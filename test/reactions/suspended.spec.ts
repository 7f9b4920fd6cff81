import { expect } from "chai";
import { StreamReader } from "../../core/index.ts";
import { Deadlines } from "../../core/reactions.ts";
import { listAll } from "../contract/reading.ts";
import { onEveryStore } from "../support/stores.ts";
import { DELAY, tradeOn } from "./trader.ts";

/** How long a reaction waits at most before it looks whether its tenant is open again, in ms. */
const PAUSE = 10_000;

onEveryStore("While its tenant is suspended", (stage) => {
  function tradeIn(tenant: string) {
    const trade = tradeOn(stage, tenant);
    const reader = new StreamReader(stage.store, { platform: stage.clock, retries: 0, onError: "park" });
    const { trader } = trade.start();
    const handlers = [trader, new Deadlines(reader, [trader], { platform: stage.clock })];
    const poll = () => reader.poll(tenant, "trade", handlers);
    /** Polls until nothing more comes of it now. */
    const settle = async () => {
      for (let polls = 0, rests = 0; rests < 2; polls++) {
        if (polls > 200) throw new Error("the thread does not come to rest");
        const { status } = await poll();
        rests = status === "idle" || status === "blocked" ? rests + 1 : 0;
      }
    };
    return { ...trade, reader, trader, poll, settle };
  }

  it("a reaction that has a command to send waits, and is not held to have failed", async () => {
    const tenant = stage.newTenant();
    const { handler, actor, balance, reader, poll, settle } = tradeIn(tenant);
    await handler.command(actor, "Deposit", { aggregateId: "w", amount: 3 });
    await stage.store.suspend(tenant);
    for (let pauses = 0; pauses < 3; pauses++) {
      await settle();
      const { blocked, retryAt } = await poll();
      expect(blocked).to.have.length(1);
      expect(blocked[0]).to.include({ handler: "Trader", attempts: 0, halted: false });
      expect(blocked[0]?.error).to.include("suspended");
      expect(retryAt).to.be.within(stage.clock.now(), stage.clock.now() + PAUSE);
      stage.clock.turn(PAUSE);
    }
    expect((await reader.parked(tenant, "trade")).parked).to.deep.equal([]);
    await stage.store.open(tenant);
    await settle();
    expect(await balance("fee-w")).to.equal(3);
    expect(await balance("fees")).to.equal(1);
  });

  it("a deadline waits, and fails no poll", async () => {
    const tenant = stage.newTenant();
    const { note, balance, poll, settle } = tradeIn(tenant);
    for (const id of ["a", "b"]) await note(id, "schedule");
    await settle();
    await stage.store.suspend(tenant);
    stage.clock.turn(DELAY);
    await settle();
    expect((await poll()).retryAt).to.be.within(stage.clock.now(), stage.clock.now() + PAUSE);
    expect(await listAll(stage.store, tenant, "evenant-deadlines")).to.have.length(2);
    await stage.store.open(tenant);
    stage.clock.turn(PAUSE);
    await settle();
    expect([await balance("due-a"), await balance("due-b")]).to.deep.equal([1, 1]);
  });
});
