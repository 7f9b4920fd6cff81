import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { type AnyHandler, Err } from "../../core/index.ts";
import { EventCounter } from "../../examples/calculator/index.ts";
import { gate } from "../support/gate.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";
import { calculatorsOn, listener } from "./listener.ts";

onEveryStore("Seed 1 (the parent), how it called its handlers,", (stage) => {
  const { handlerOf, readerOf, add } = calculatorsOn(stage);

  it("4: did not await handlers", async () => {
    const tenant = stage.newTenant();
    const context = await add(handlerOf(), tenant, "a");
    const { passed, open } = gate();
    const started = gate();
    const heard = listener("heard", async () => {
      started.open();
      await passed;
    });
    let isOver = false;
    const polling = pollUntilIdle(readerOf(), tenant, "thread", [heard]).then(() => {
      isOver = true;
    });
    await started.passed;
    await setImmediate();
    expect([isOver, heard.seen]).to.deep.equal([false, []]);
    const { cursors } = (await stage.store.peek(tenant, "thread")).thread;
    expect(cursors.heard?.position ?? 0).to.be.below(await context.position());
    open();
    await polling;
    expect(heard.seen).to.deep.equal(["a/0"]);
  });

  it("4: died of a handler's rejection, with its cursor moved", async () => {
    const tenant = stage.newTenant();
    const context = await add(handlerOf(), tenant, "a");
    const failing = listener("failing", () => Promise.reject(new Error("no network")));
    const result = await untilBlocked(tenant, [failing]);
    expect(result.cursors.failing).to.be.below(await context.position());
    expect(result.blocked).to.have.length(1);
    expect(result.blocked[0]).to.include({ handler: "failing", attempts: 1, halted: false, error: "Error: no network" });
    expect(result.blocked[0]?.position).to.equal(await context.position());
  });

  it("5: skipped a handler's failed event at its next success", async () => {
    const tenant = stage.newTenant();
    const handler = handlerOf();
    for (let count = 0; count < 3; count++) await add(handler, tenant, "a");
    let failures = 2;
    const flaky = listener("flaky", ({ version }) => {
      if (version === 1 && failures-- > 0) throw new Error("not yet");
    });
    const steady = listener("steady");
    await untilBlocked(tenant, [flaky, steady]);
    expect([flaky.seen, steady.seen]).to.deep.equal([["a/0"], ["a/0", "a/1", "a/2"]]);
    await add(handler, tenant, "a");
    await untilBlocked(tenant, [flaky, steady]);
    expect([flaky.seen, steady.seen.at(-1)]).to.deep.equal([["a/0"], "a/3"]);
    for (let round = 0; round < 2; round++) {
      stage.clock.turn(10_000);
      await untilBlocked(tenant, [flaky, steady]);
    }
    expect(flaky.seen).to.deep.equal(["a/0", "a/1", "a/2", "a/3"]);
    expect(steady.seen).to.deep.equal(["a/0", "a/1", "a/2", "a/3"]);
  });

  it("17: never called a nameless handler, in silence", async () => {
    const tenant = stage.newTenant();
    const nameless: readonly AnyHandler[] = [
      { name: "", events: { NumbersAdded: () => {} } },
      new (class {
        events = { NumbersAdded: () => {} };
      })(),
    ];
    for (const handler of nameless) {
      const error = await rejects(Err, readerOf().poll(tenant, "thread", [handler]));
      expect([error.code, error.message]).to.deep.equal(["missing_argument", "missing argument handler.name: it is required"]);
    }
    const named = new EventCounter();
    await add(handlerOf(), tenant, "a");
    await pollUntilIdle(readerOf(), tenant, "thread", [named]);
    expect(named.count).to.equal(1);
  });

  it("17: nor calls a plain object without a name, whose class is everybody's", async () => {
    const unnamed = { events: { NumbersAdded: () => {} } };
    const error = await rejects(Err, readerOf().poll(stage.newTenant(), "thread", [unnamed]));
    expect(error.code).to.equal("missing_argument");
  });

  it("17: nor a handler that is named like a member of every object", async () => {
    const tenant = stage.newTenant();
    await add(handlerOf(), tenant, "a");
    for (const name of ["constructor", "toString", "valueOf", "hasOwnProperty"]) {
      const heard = listener(name);
      await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
      expect(heard.seen, name).to.deep.equal(["a/0"]);
    }
  });

  /** Polls until nothing is left to do but for handlers that stand at a failure. */
  async function untilBlocked(tenant: string, handlers: readonly AnyHandler[]) {
    for (let polls = 0; polls < 1_000; polls++) {
      const result = await readerOf().poll(tenant, "thread", handlers);
      if (result.status === "idle" || result.status === "blocked") return result;
      await setImmediate();
    }
    throw new Error("the thread is neither idle nor blocked after 1,000 polls");
  }
});
