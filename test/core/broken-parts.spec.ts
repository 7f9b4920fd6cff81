import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, defaultPlatform, type IEventStore, type ITracer, type Trace } from "../../core/index.ts";
import { tellerOf, Wallet } from "../contract/wallet.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

// Nothing that a command handler is given may throw where its port says so; if it does, the command fails, and the next one works.
describe("A command handler whose parts are broken", () => {
  const actor = tellerOf("t");
  const bug = new Error("a bug");
  /** Breaks down when told to. */
  function breaking(isWanted: (method: Trace["method"]) => boolean): ITracer & { isOn: boolean } {
    const tracer = {
      isOn: false,
      trace: (make: () => Trace) => {
        if (tracer.isOn && isWanted(make().method)) throw bug;
      },
    };
    return tracer;
  }

  const deposit = (handler: CommandHandler<readonly [typeof Wallet]>) =>
    handler.command(actor, "Deposit", { aggregateId: "a", amount: 1 });
  const overdraw = (handler: CommandHandler<readonly [typeof Wallet]>) =>
    handler.command(actor, "Withdraw", { aggregateId: "a", amount: 1_000 });

  async function fails(handler: CommandHandler<readonly [typeof Wallet]>, part: { isOn: boolean }, send = deposit) {
    await deposit(handler);
    part.isOn = true;
    // Two on one aggregate: the lane and the queue must be free again after the first.
    const errors = await Promise.all([rejects(Error, send(handler)), rejects(Error, send(handler))]);
    part.isOn = false;
    await deposit(handler);
    return errors.map(({ message }) => message);
  }

  it("carries commands out where the tracer throws at their end", async () => {
    const tracer = breaking((traced) => traced === "command");
    const handler = new CommandHandler(new MemoryEventStore(), [Wallet], { tracer });
    await deposit(handler);
    tracer.isOn = true;
    const [, context] = await Promise.all([deposit(handler), deposit(handler)]);
    expect(context.aggregate.balance).to.equal(3);
  });

  it("writes nothing where the tracer throws at a commit, and goes on", async () => {
    const tracer = breaking((traced) => traced === "commit");
    const handler = new CommandHandler(new MemoryEventStore(), [Wallet], { tracer });
    expect(await fails(handler, tracer)).to.deep.equal(["a bug", "a bug"]);
    expect((await handler.load(actor, Wallet, "a"))?.balance).to.equal(2);
  });

  it("refuses with the command's own error where the tracer throws too", async () => {
    const tracer = breaking((traced) => traced === "command");
    const handler = new CommandHandler(new MemoryEventStore(), [Wallet], { tracer });
    expect(await fails(handler, tracer, overdraw)).to.deep.equal(["there are only 1", "there are only 1"]);
  });

  it("tells the store's error where the tracer throws too, to all of a group, and goes on", async () => {
    const tracer = breaking((traced) => traced === "command");
    const inner = new MemoryEventStore();
    const store = intercepted(inner, {
      commit: async (tenant, pending) => {
        if (tracer.isOn) throw new Error("the disk is full");
        return inner.commit(tenant, pending);
      },
    });
    const handler = new CommandHandler(store, [Wallet], { tracer });
    expect(await fails(handler, tracer)).to.deep.equal(["the disk is full", "the disk is full"]);
  });

  it("frees lane and queue where the store throws at once, instead of rejecting", async () => {
    const part = { isOn: false };
    const inner = new MemoryEventStore();
    const commit: IEventStore["commit"] = (tenant, pending) => {
      if (part.isOn) throw bug;
      return inner.commit(tenant, pending);
    };
    const handler = new CommandHandler(intercepted(inner, { commit }), [Wallet]);
    expect(await fails(handler, part)).to.deep.equal(["a bug", "a bug"]);
  });

  it("says that the outcome is unknown where the store gives no outcomes at all, and goes on", async () => {
    const part = { isOn: false };
    const inner = new MemoryEventStore();
    const commit: IEventStore["commit"] = async (tenant, pending) => (part.isOn ? [] : inner.commit(tenant, pending));
    const handler = new CommandHandler(intercepted(inner, { commit }), [Wallet]);
    for (const message of await fails(handler, part)) expect(message).to.include("its adapter is broken");
  });

  it("goes on without gathering where the store fails to gather", async () => {
    const gather = () => Promise.reject(bug);
    const handler = new CommandHandler(intercepted(new MemoryEventStore(), { gather }), [Wallet]);
    await deposit(handler);
    expect((await deposit(handler)).aggregate.balance).to.equal(2);
  });

  it("frees the lane where no id can be made", async () => {
    const part = { isOn: false };
    const newId = () => {
      if (part.isOn) throw bug;
      return defaultPlatform.newId();
    };
    const handler = new CommandHandler(new MemoryEventStore(), [Wallet], { platform: { ...defaultPlatform, newId } });
    expect(await fails(handler, part)).to.deep.equal(["a bug", "a bug"]);
  });
});
