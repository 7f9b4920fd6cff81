import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { type AnyHandler, CommandHandler, Err, type PositionedCommit, StreamReader } from "../../core/index.ts";
import { EventCounter, SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import { readAll } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollDuring, pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

/** Notes which commits it was given, in their order. */
function listener(name: string, act: (commit: PositionedCommit) => Promise<void> | void = () => {}) {
  const seen: string[] = [];
  const events = {
    NumbersAdded: async (_tenant: string, _event: unknown, commit: PositionedCommit) => {
      await act(commit);
      seen.push(`${commit.id}/${commit.version}`);
    },
  };
  return { name, seen, events };
}

onEveryStore("Seed 1 (the parent), what it read wrongly,", (stage) => {
  const handlerOf = (platform = stage.clock) => new CommandHandler(stage.store, [SummingCalculator], { platform });
  const readerOf = () => new StreamReader(stage.store, { platform: stage.clock, retries: 3, firstDelay: 1_000 });
  const add = (handler: ReturnType<typeof handlerOf>, tenant: string, aggregateId: string) =>
    handler.command(actorOf(tenant), "AddNumbers", { number1: 1, number2: 0, aggregateId });

  it("2: never delivered the second of two commits in the same millisecond at the same version", async () => {
    const tenant = stage.newTenant();
    const frozen = Object.assign(Object.create(stage.clock), { now: () => 1_700_000_000_000 }) as typeof stage.clock;
    const handler = handlerOf(frozen);
    await Promise.all(["a", "b", "c", "d"].map((id) => add(handler, tenant, id)));
    const heard = listener("heard");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect([...heard.seen].sort()).to.deep.equal(["a/0", "b/0", "c/0", "d/0"]);
  });

  it("3: never delivered a commit of a machine whose clock was slow", async () => {
    const tenant = stage.newTenant();
    const slow = Object.assign(Object.create(stage.clock), { now: () => 1_000_000_000_000 }) as typeof stage.clock;
    const heard = listener("heard");
    await add(handlerOf(), tenant, "a");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    await add(handlerOf(slow), tenant, "b");
    await add(handlerOf(slow), tenant, "a");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect(heard.seen).to.deep.equal(["a/0", "b/0", "a/1"]);
  });

  it("3: never delivered a commit that became visible late: here four writers write while a reader reads", async () => {
    const tenant = stage.newTenant();
    const heard = listener("heard");
    const reader = readerOf();
    const writing = ["a", "b", "c", "d"].map(async (id) => {
      const handler = handlerOf();
      for (let count = 0; count < 25; count++) await add(handler, tenant, id);
    });
    await pollDuring(Promise.all(writing), () => reader.poll(tenant, "thread", [heard], { limit: 3 }));
    await pollUntilIdle(reader, tenant, "thread", [heard], { limit: 3 });
    expect(heard.seen).to.have.length(100);
    for (const id of ["a", "b", "c", "d"]) {
      const own = heard.seen.filter((commit) => commit.startsWith(`${id}/`));
      expect(own).to.deep.equal(Array.from({ length: 25 }, (_, version) => `${id}/${version}`));
    }
    const { commits } = await readAll(stage, tenant);
    expect(heard.seen).to.deep.equal(commits.map(({ id, version }) => `${id}/${version}`));
  });

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

  it("12: could not reach unread events of last year after New Year", async () => {
    const tenant = stage.newTenant();
    const at = (date: string) =>
      handlerOf(Object.assign(Object.create(stage.clock), { now: () => Date.parse(date) }) as typeof stage.clock);
    for (const date of ["2023-12-31T23:59:59.999Z", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"])
      await add(at(date), tenant, "a");
    const heard = listener("heard");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect(heard.seen).to.deep.equal(["a/0", "a/1", "a/2"]);
  });

  it("13: read without bounds", async () => {
    const tenant = stage.newTenant();
    const handler = handlerOf();
    for (let count = 0; count < 12; count++) await add(handler, tenant, "a");
    const limits: number[] = [];
    const watched = intercepted(stage.store, {
      read: (of, after, limit, waiting) => {
        limits.push(limit);
        return stage.store.read(of, after, limit, waiting);
      },
    });
    const heard = listener("heard");
    const reader = new StreamReader(watched, { platform: stage.clock });
    for (let before = 0; ; before = heard.seen.length) {
      const { status } = await reader.poll(tenant, "thread", [heard], { limit: 5 });
      expect(heard.seen.length - before).to.be.at.most(5);
      if (status === "idle") break;
    }
    expect(heard.seen).to.have.length(12);
    expect(Math.max(...limits)).to.equal(5);
    await reader.poll(tenant, "other", [heard]);
    expect(limits.at(-1)).to.equal(100);
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
