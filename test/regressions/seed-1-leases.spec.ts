import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import type { AnyHandler } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import { gate } from "../support/gate.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore } from "../support/stores.ts";
import { calculatorsOn, listener } from "./listener.ts";

onEveryStore("Seed 1 (the parent), what its leases let through,", (stage) => {
  const { handlerOf, readerOf, add } = calculatorsOn(stage);

  it("6: let eight concurrent pollers all hold the lease", async () => {
    const tenant = stage.newTenant();
    await add(handlerOf(), tenant, "a");
    const { passed, open } = gate();
    let inside = 0;
    const heard = listener("heard", async () => {
      if (++inside > 1) open();
      await passed;
    });
    let leased = 0;
    const polls = Array.from({ length: 8 }, async () => {
      const { status } = await readerOf().poll(tenant, "thread", [heard]);
      if (status === "leased" && ++leased === 7) open();
      if (status === "waiting" || status === "idle") open();
      return status;
    });
    const statuses = await Promise.all(polls);
    expect(inside).to.be.at.most(1);
    if (inside === 1) expect([...statuses].sort()).to.deep.equal([...Array.from({ length: 7 }, () => "leased"), "progressed"]);
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect(heard.seen).to.deep.equal(["a/0"]);
  });

  it("7: committed an expired lease, and moved cursors back", async () => {
    const tenant = stage.newTenant();
    const handler = handlerOf();
    await add(handler, tenant, "a");
    const held = gate();
    const entered = gate();
    const totals = new Totals();
    const zombie = listener("listener", async () => {
      entered.open();
      await held.passed;
    });
    const dying = pollUntilBegun(tenant, [zombie, totals], entered.passed);
    await entered.passed;
    stage.clock.turn(60_000);
    for (let count = 0; count < 3; count++) await add(handler, tenant, "a");
    const alive = listener("listener");
    await pollUntilIdle(readerOf(), tenant, "thread", [alive, totals]);
    const { thread: before } = await stage.store.peek(tenant, "thread");
    held.open();
    expect((await dying).status).to.equal("leased");
    const { thread: after } = await stage.store.peek(tenant, "thread");
    expect(after).to.deep.equal(before);
    expect(alive.seen).to.deep.equal(["a/0", "a/1", "a/2", "a/3"]);
    expect(await readerOf().views(tenant, totals).get("a")).to.deep.equal({ sum: 4, steps: 4 });
  });

  /** Polls until a handler was called, and resolves to the result of that poll. */
  async function pollUntilBegun(tenant: string, handlers: readonly AnyHandler[], begun: Promise<void>) {
    let hasBegun = false;
    void begun.then(() => {
      hasBegun = true;
    });
    for (let polls = 0; polls < 1_000; polls++) {
      const result = await readerOf().poll(tenant, "thread", handlers, { lease: 30_000 });
      if (hasBegun) return result;
      await setImmediate();
    }
    throw new Error("the handler was not called in 1,000 polls");
  }
});
