import { expect } from "chai";
import { type Actor, AuthorizationError, CommandHandler, Err, IdempotencyError, StreamReader } from "../../core/index.ts";
import {
  Account,
  Accounts,
  type AccountView,
  book,
  type OverdraftNotice,
  OverdraftNotices,
} from "../../examples/bank-account/index.ts";
import { readAll } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

onEveryStore("The bank account", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [Account]);
  const to = { aggregateId: "account" };

  /** The story of the seed: opened, owner changed, +200 and -300 at once, +50, +25. */
  async function storied() {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    await handler.command(actor, "OpenAccount", { owner: "ada", ...to });
    await handler.command(actor, "ChangeOwner", { owner: "grace", ...to });
    for (const amounts of [[200, -300], [50], [25]]) await handler.command(actor, "RecordTransactions", { amounts, ...to });
    return { actor, handler };
  }

  const logOf = async (actor: Actor) => (await readAll(stage, actor.tenant)).commits;

  it("comes to -25 by its story", async () => {
    const { actor, handler } = await storied();
    const account = await handler.load(actor, Account, "account");
    expect([account?.owner, account?.balance, account?.aggregateVersion]).to.deep.equal(["grace", -25, 4]);
    expect((await handlerOf().load(actor, Account, "account"))?.balance).to.equal(-25);
  });

  it("tells exactly once that it is overdrawn, by the -300 transaction", async () => {
    const { actor } = await storied();
    const overdrawn = (await logOf(actor)).filter(({ events }) => events.some(({ name }) => name === "AccountOverdrawn"));
    expect(overdrawn).to.have.length(1);
    expect(overdrawn[0]?.events.map(({ name, payload }) => [name, payload])).to.deep.equal([
      ["TransactionRecorded", { amount: 200, text: "" }],
      ["TransactionRecorded", { amount: -300, text: "" }],
      ["AccountOverdrawn", { balance: -100 }],
    ]);
    const notices: OverdraftNotice[] = [];
    const handlers = [
      new OverdraftNotices(async (notice) => {
        notices.push(notice);
      }),
    ];
    for (let round = 0; round < 2; round++) await pollUntilIdle(new StreamReader(stage.store), actor.tenant, "notices", handlers);
    expect(notices).to.deep.equal([{ tenant: actor.tenant, account: "account", balance: -100, key: "account/2" }]);
  });

  it("refuses a transaction below the minimum: insufficient funds, and nothing is left of it", async () => {
    const { actor, handler } = await storied();
    const before = await logOf(actor);
    // The first of the two would fit: the command is one, and is refused as one.
    const error = await rejects(Err, handler.command(actor, "RecordTransactions", { amounts: [10, -986], ...to }));
    expect(error.code).to.equal("precondition");
    expect(error.message).to.equal("insufficient funds: the balance is -15, and -986 would exceed the overdraft of 1000");
    expect(await logOf(actor)).to.deep.equal(before);
    expect((await handler.load(actor, Account, "account"))?.balance).to.equal(-25);
    const { aggregate } = await handler.command(actor, "RecordTransactions", { amounts: [-975], ...to });
    expect(aggregate.balance).to.equal(-1000);
  });

  it("is verified by folding everything again: -25, equal to its snapshot", async () => {
    const { actor, handler } = await storied();
    const { aggregate, snapshot } = await handler.recalculate(actor, Account, "account");
    expect([aggregate.balance, aggregate.aggregateVersion]).to.deep.equal([-25, 4]);
    expect(snapshot).to.equal("equal");
  });

  it("would stand at 0 with a hypothetical +25, of which nothing is stored", async () => {
    const { actor, handler } = await storied();
    const before = await logOf(actor);
    const { aggregate } = await handler.recalculate(actor, Account, "account", [
      { name: "TransactionRecorded", payload: { amount: 25, text: "what if" } },
    ]);
    expect([aggregate.balance, aggregate.aggregateVersion]).to.deep.equal([0, 4]);
    expect(await logOf(actor)).to.deep.equal(before);
    expect((await handler.load(actor, Account, "account"))?.balance).to.equal(-25);
    expect((await handler.recalculate(actor, Account, "account")).aggregate.balance).to.equal(-25);
  });

  it("takes a webhook that comes twice as one transaction", async () => {
    const { actor, handler } = await storied();
    const deliver = (by = handler) =>
      by.command(actor, "RecordTransactions", { amounts: [500], ...to }, { commandId: "webhook-1" });
    const first = await deliver();
    expect([first.replayed, first.aggregate.balance]).to.deep.equal([false, 475]);
    await handler.command(actor, "RecordTransactions", { amounts: [1], ...to });
    for (const by of [handler, handlerOf()]) {
      const again = await deliver(by);
      expect([again.replayed, again.aggregate.balance, again.aggregate.aggregateVersion]).to.deep.equal([true, 475, 5]);
      expect(again.commitId).to.equal(first.commitId);
      expect(again.events).to.deep.equal(first.events);
      expect(await again.position()).to.equal(await first.position());
    }
    expect((await handler.load(actor, Account, "account"))?.balance).to.equal(476);
  });

  it("replays a webhook that would be refused by now, and refuses another one under its id", async () => {
    const { actor, handler } = await storied();
    const pay = (amount: number) =>
      handler.command(actor, "RecordTransactions", { amounts: [amount], ...to }, { commandId: "webhook-2" });
    await pay(-900);
    expect((await pay(-900)).aggregate.balance).to.equal(-925);
    const error = await rejects(IdempotencyError, pay(-1));
    expect([error.code, error.commandId]).to.deep.equal(["idempotency", "webhook-2"]);
    expect((await handler.load(actor, Account, "account"))?.balance).to.equal(-925);
  });

  it("moves money to another account in one atomic commit", async () => {
    const { actor, handler } = await storied();
    await handler.command(actor, "OpenAccount", { owner: "bob", aggregateId: "other" });
    const context = await handler.command(actor, "TransferMoney", { to: "other", amount: 300, ...to });
    expect(context.aggregate.balance).to.equal(-325);
    expect((await handler.load(actor, Account, "other"))?.balance).to.equal(300);
    const commits = (await logOf(actor)).filter(({ commitId }) => commitId === context.commitId);
    expect(commits.map(({ id, version }) => [id, version])).to.deep.equal([
      ["account", 5],
      ["other", 1],
    ]);
  });

  it("moves nothing where one side refuses", async () => {
    const { actor, handler } = await storied();
    await handler.command(actor, "OpenAccount", { owner: "bob", aggregateId: "other" });
    const before = await logOf(actor);
    const transfer = (receiver: string, amount: number) =>
      rejects(Err, handler.command(actor, "TransferMoney", { to: receiver, amount, ...to }));
    expect((await transfer("other", 976)).message).to.match(/^insufficient funds: the balance is -25, and -976 /);
    expect((await transfer("nobody", 1)).message).to.equal("account nobody is not open");
    expect((await transfer("account", 1)).message).to.equal("invalid argument to: give another account");
    expect((await transfer("other", -1)).message).to.equal("payload.amount: give at least 1");
    const stranger = actorOf(actor.tenant, "stranger", ["user"]);
    await rejects(AuthorizationError, handler.command(stranger, "TransferMoney", { to: "other", amount: 1, ...to }));
    expect(await logOf(actor)).to.deep.equal(before);
  });

  it("says what is wrong with what came over the network, whatever the types promised", async () => {
    const { actor, handler } = await storied();
    const before = await logOf(actor);
    const sent = async (command: "RecordTransactions" | "TransferMoney" | "OpenAccount", payload: object) => {
      const { code, message } = await rejects(
        Err,
        (handler as unknown as CommandHandler).command(actor, command, { ...payload, ...to }),
      );
      return [code, message];
    };
    const invalid = (path: string, advice: string) => ["validation", `payload.${path}: ${advice}`];
    expect(await sent("RecordTransactions", {})).to.deep.equal(invalid("amounts", "give a list of integers"));
    expect(await sent("RecordTransactions", { amounts: [] })).to.deep.equal(invalid("amounts", "give at least one"));
    expect(await sent("RecordTransactions", { amounts: [1, 0.5] })).to.deep.equal(invalid("amounts.1", "give integers"));
    expect(await sent("RecordTransactions", { amounts: [1], text: 7 })).to.deep.equal(invalid("text", "give a text"));
    expect(await sent("TransferMoney", { amount: 1 })).to.deep.equal(invalid("to", "give an account's id"));
    expect(await sent("TransferMoney", { amount: "1", to: "x" })).to.deep.equal(invalid("amount", "give an integer"));
    expect(await sent("OpenAccount", { owner: 7 })).to.deep.equal(invalid("owner", "give a name"));
    expect(await logOf(actor)).to.deep.equal(before);
  });

  it("keeps the sum of all balances while two handlers move money to and fro at once", async () => {
    const actor = actorOf(stage.newTenant());
    const handlers = [handlerOf(), handlerOf()];
    for (const aggregateId of ["a", "b", "c"]) {
      await handlers[0]!.command(actor, "OpenAccount", { owner: "ada", aggregateId });
      await handlers[0]!.command(actor, "RecordTransactions", { amounts: [100], aggregateId });
    }
    const routes = [
      ["a", "b"],
      ["b", "c"],
      ["c", "a"],
      ["b", "a"],
    ] as const;
    await Promise.all(
      Array.from({ length: 24 }, (_, count) => {
        const [aggregateId, receiver] = routes[count % routes.length]!;
        return handlers[count % 2]!.command(actor, "TransferMoney", { to: receiver, amount: 1 + count, aggregateId });
      }),
    );
    const accounts = await Promise.all(["a", "b", "c"].map((id) => handlerOf().load(actor, Account, id)));
    expect(accounts.reduce((sum, account) => sum + (account?.balance ?? 0), 0)).to.equal(300);
    expect(accounts.reduce((sum, account) => sum + (account?.aggregateVersion ?? 0), 0)).to.equal(3 + 2 * 24);
  });

  it("shows every account's balance", async () => {
    const { actor, handler } = await storied();
    await handler.command(actor, "OpenAccount", { owner: "bob", aggregateId: "other" });
    await handler.command(actor, "TransferMoney", { to: "other", amount: 5, ...to });
    const reader = new StreamReader(stage.store);
    const accounts = new Accounts();
    await pollUntilIdle(reader, actor.tenant, "views", [accounts]);
    const views = reader.views<AccountView>(actor.tenant, accounts);
    expect(await views.get("account")).to.deep.equal({ owner: "grace", balance: -30, transactions: 5 });
    expect(await views.get("other")).to.deep.equal({ owner: "bob", balance: 5, transactions: 1 });
  });
});

describe("The rules of the bank account", () => {
  it("are pure: they can be asked about any balance", () => {
    expect(book(0, -1)).to.deep.equal({ balance: -1, isOverdrawn: true });
    expect(book(-1, -1)).to.deep.equal({ balance: -2, isOverdrawn: false });
    expect(book(0, -1000)).to.deep.equal({ balance: -1000, isOverdrawn: true });
    expect(book(-1, 1)).to.deep.equal({ balance: 0, isOverdrawn: false });
  });
});
