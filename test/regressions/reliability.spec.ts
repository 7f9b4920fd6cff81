import { expect } from "chai";
import { CommandHandler, Err } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { Post, User } from "../../examples/blog/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

onEveryStore("Two handlers with caches of their own", (stage) => {
  const bankOf = () => new CommandHandler(stage.store, [Account]);
  const to = { aggregateId: "account" };

  async function twoWarm() {
    const actor = actorOf(stage.newTenant());
    const [one, other] = [bankOf(), bankOf()] as const;
    await one.command(actor, "OpenAccount", { owner: "ada", ...to });
    await other.command(actor, "ChangeOwner", { owner: "ada", ...to });
    await one.command(actor, "RecordTransactions", { amounts: [-900], ...to });
    await other.command(actor, "RecordTransactions", { amounts: [-100], ...to });
    return { actor, one, other };
  }

  it("let a withdrawal succeed that a stale cache would refuse, after a deposit through the other", async () => {
    const { actor, one, other } = await twoWarm();
    await one.command(actor, "RecordTransactions", { amounts: [500], ...to });
    const { aggregate } = await other.command(actor, "RecordTransactions", { amounts: [-400], ...to });
    expect([aggregate.balance, aggregate.aggregateVersion]).to.deep.equal([-900, 5]);
  });

  it("still refuse what the store's own state refuses", async () => {
    const { actor, one, other } = await twoWarm();
    await one.command(actor, "RecordTransactions", { amounts: [5], ...to });
    const error = await rejects(Err, other.command(actor, "RecordTransactions", { amounts: [-400], ...to }));
    expect(error.message).to.equal("insufficient funds: the balance is -995, and -400 would exceed the overdraft of 1000");
  });

  it("let a transfer succeed whose receiver a stale cache does not know yet", async () => {
    const { actor, one, other } = await twoWarm();
    await one.command(actor, "RecordTransactions", { amounts: [500], ...to });
    await rejects(Err, other.command(actor, "TransferMoney", { to: "new", amount: 1, ...to }));
    await one.command(actor, "OpenAccount", { owner: "bob", aggregateId: "new" });
    const { aggregate } = await other.command(actor, "TransferMoney", { to: "new", amount: 1, ...to });
    expect(aggregate.balance).to.equal(-501);
  });

  it("admit by a predicate over state whom a stale cache would deny", async () => {
    const { actor, one, other } = await twoWarm();
    const grace = actorOf(actor.tenant, "grace", []);
    await one.command(actor, "OpenAccount", { owner: "bob", aggregateId: "new" });
    await one.command(actor, "RecordTransactions", { amounts: [1000], ...to });
    expect((await rejects(Err, other.command(grace, "TransferMoney", { to: "new", amount: 1, ...to }))).code).to.equal(
      "authorization",
    );
    await one.command(actor, "ChangeOwner", { owner: "grace", ...to });
    const { aggregate } = await other.command(grace, "TransferMoney", { to: "new", amount: 1, ...to });
    expect(aggregate.balance).to.equal(-1);
  });

  it("do not take an empty result of a stale cache for the answer", async () => {
    const tenant = stage.newTenant();
    const manager = actorOf(tenant, "manager");
    const [one, other] = [1, 2].map(() => new CommandHandler(stage.store, [User, Post])) as [
      CommandHandler<[typeof User, typeof Post]>,
      CommandHandler<[typeof User, typeof Post]>,
    ];
    await one.command(manager, "CreateUser", { name: "Ada", aggregateId: "ada" });
    await other.command(manager, "DisableUser", { aggregateId: "ada" });
    await one.command(manager, "EnableUser", { aggregateId: "ada" });
    // To the other one the user is still disabled: it would push nothing.
    const { aggregate, events } = await other.command(manager, "DisableUser", { aggregateId: "ada" });
    expect([aggregate.isEnabled, aggregate.aggregateVersion, events.length]).to.deep.equal([false, 3, 1]);
  });

  it("take an expectedVersion that a stale cache has not seen yet", async () => {
    const { actor, one, other } = await twoWarm();
    const context = await one.command(actor, "RecordTransactions", { amounts: [5], ...to });
    const { aggregate } = await other.command(actor, "RecordTransactions", {
      amounts: [5],
      ...to,
      expectedVersion: context.aggregate.aggregateVersion,
    });
    expect([aggregate.balance, aggregate.aggregateVersion]).to.deep.equal([-990, 5]);
  });
});

onEveryStore("32 commands at once on one aggregate", (stage) => {
  for (const machines of [1, 4]) {
    it(`all succeed, from ${machines} ${machines === 1 ? "handler" : "handlers"}`, async () => {
      const actor = actorOf(stage.newTenant());
      const handlers = Array.from({ length: machines }, () => new CommandHandler(stage.store, [SummingCalculator]));
      const contexts = await Promise.all(
        Array.from({ length: 32 }, (_, count) =>
          handlers[count % machines]!.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId: "calc" }),
        ),
      );
      const versions = contexts.map(({ aggregate }) => aggregate.aggregateVersion).sort((a, b) => a - b);
      expect(versions).to.deep.equal(Array.from({ length: 32 }, (_, version) => version));
      for (const { aggregate } of contexts) expect(aggregate.sum).to.equal(aggregate.aggregateVersion + 1);
      const last = await handlers[0]!.load(actor, SummingCalculator, "calc");
      expect([last?.sum, last?.aggregateVersion]).to.deep.equal([32, 31]);
    });
  }
});
