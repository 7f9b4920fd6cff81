import { expect } from "chai";
import { Err, StoreError, StreamReader } from "../../core/index.ts";
import { type ICommandSender, Reaction, type ReactionSteps, ScheduledCommand } from "../../core/reactions.ts";
import { Wallet, type WalletEvents } from "../contract/wallet.ts";
import { MortalStore } from "../support/mortal-store.ts";
import { rejects } from "../support/rejects.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { onEveryStore } from "../support/stores.ts";
import { tradeOn } from "./trader.ts";

const KILLS = 100;
const SEED = Number(process.env.REACTION_SEED ?? 11);

onEveryStore("A reaction", (stage) => {
  /** Polls until everything is handled, by one reader. */
  async function settle(trade: ReturnType<typeof tradeOn>) {
    const { trader, poll } = trade.start();
    for (let polls = 0; polls < 100; polls++) {
      const result = await poll();
      if (result.status === "idle") return trader;
      if (result.status === "leased") stage.clock.turn(1_001);
    }
    throw new Error("the thread does not come to rest");
  }

  it(`has each command take effect once, killed ${KILLS} times between handling, sending and cursor (seed ${SEED})`, async function () {
    this.timeout(120_000);
    const random = seededRandom(SEED);
    const tenant = stage.newTenant();
    const trade = tradeOn(stage, tenant);
    for (let kills = 0, paid = 0; kills < KILLS; ) {
      await trade.handler.command(trade.actor, "Deposit", { aggregateId: `w${paid++ % 7}`, amount: 1 });
      // Leasing, two commands and the cursor: eight steps, and the ninth is never reached where there is one event.
      const store = new MortalStore(stage.store, 1 + random.below(9));
      await tradeOn({ store, clock: stage.clock }, tenant).start().poll().catch(notDead(store));
      if (store.isDead) kills++;
      stage.clock.turn(1_001);
    }
    await settle(trade);
    let total = 0;
    for (let n = 0; n < 7; n++) {
      const paid = await trade.balance(`w${n}`);
      expect(await trade.balance(`fee-w${n}`), `fee-w${n}`).to.equal(paid);
      total += paid;
    }
    expect(await trade.balance("fees")).to.equal(total);
  });

  it("sends nothing twice where it is rewound, and everything is handed to it again", async () => {
    const trade = tradeOn(stage, stage.newTenant());
    for (const id of ["w0", "w1", "w0"]) await trade.handler.command(trade.actor, "Deposit", { aggregateId: id, amount: 2 });
    await trade.note("poor", "refused");
    await trade.note("a", "schedule");
    const state = async () =>
      Promise.all([trade.balance("fee-w0"), trade.balance("fee-w1"), trade.balance("fees"), trade.notes("refused")]);
    await settle(trade);
    expect(await state()).to.deep.equal([4, 2, 3, 1]);
    const { trader, reader } = trade.start();
    await reader.rewind(trade.actor.tenant, "trade", trader);
    expect((await settle(trade)).refusals, "heard again").to.have.length(1);
    expect(await state()).to.deep.equal([4, 2, 3, 1]);
    const [set, ...more] = await trade.handler.history(trade.actor, ScheduledCommand, "Trader/a");
    expect([set?.command, more]).to.deep.equal(["SetDeadline", []]);
  });

  it("hands the correlation on, and names the commit as the cause", async () => {
    const trade = tradeOn(stage, stage.newTenant());
    const context = await trade.handler.command(
      trade.actor,
      "Deposit",
      { aggregateId: "w", amount: 3 },
      { correlationId: "order-1" },
    );
    const alone = await trade.handler.command(trade.actor, "Deposit", { aggregateId: "w2", amount: 3 });
    await settle(trade);
    const [fee] = await trade.handler.history(trade.actor, Wallet, "fee-w");
    expect(fee).to.deep.include({
      correlationId: "order-1",
      causationId: context.commitId,
      actor: { id: "reaction:Trader", name: "Trader" },
    });
    const [other] = await trade.handler.history(trade.actor, Wallet, "fee-w2");
    expect(other).to.deep.include({ correlationId: alone.commitId, causationId: alone.commitId });
  });

  it("hears of a refusal once, does what it answers, and goes on", async () => {
    const trade = tradeOn(stage, stage.newTenant());
    await trade.note("poor", "refused");
    await trade.handler.command(trade.actor, "Deposit", { aggregateId: "w", amount: 1 });
    const trader = await settle(trade);
    expect(trader.refusals.map(({ command, data, error }) => [command, data, error.code])).to.deep.equal([
      ["Withdraw", { aggregateId: "due-poor", amount: 5 }, "precondition"],
    ]);
    expect(await trade.notes("refused")).to.equal(1);
    expect(await trade.balance("fee-w")).to.equal(1);
  });

  it("stands at the event where what it answers to a refusal is refused too", async () => {
    const trade = tradeOn(stage, stage.newTenant());
    await trade.note("poor", "refused twice");
    const { poll } = trade.start();
    let result = await poll();
    while (result.blocked.length === 0) result = await poll();
    expect(result.blocked[0]).to.deep.include({ handler: "Trader", attempts: 1, error: "Err: there are only 0" });
  });

  it("tries again by the failure policy where a command fails without being refused", async () => {
    let fails = 2;
    const weak = (handler: ICommandSender): ICommandSender => ({
      command: async (...sent) => {
        if (fails-- > 0) throw new StoreError("the store is away", { retryable: true });
        return handler.command(...sent);
      },
    });
    const trade = tradeOn(stage, stage.newTenant(), weak);
    await trade.handler.command(trade.actor, "Deposit", { aggregateId: "w", amount: 2 });
    const { trader, poll } = trade.start();
    for (let polls = 0; polls < 20 && (await trade.balance("fees")) === 0; polls++) {
      await poll();
      stage.clock.turn(60_000);
    }
    expect(await trade.balance("fee-w")).to.equal(2);
    expect(await trade.balance("fees")).to.equal(1);
    expect(trader.refusals).to.deep.equal([]);
  });
});

describe("A reaction that names a command wrongly", () => {
  it("does not compile", async () => {
    class Wrong extends Reaction<WalletEvents, readonly [typeof Wallet]> {
      readonly name = "Wrong";
      readonly roles = [];
      readonly on: ReactionSteps<WalletEvents> = {
        // @ts-expect-error no wallet has this command
        Paid: () => this.send("Explode", {}),
        // @ts-expect-error an amount is a number
        Noted: () => this.send("Deposit", { amount: "1" }),
        // @ts-expect-error there is no such event
        Broken: () => undefined,
      };
      onRefused() {}
    }
    const error = await rejects(
      Err,
      new StreamReader({ peek: async () => {} } as never).poll("t", "t", [new Wrong({} as never), {} as never]),
    );
    expect(error.code).to.equal("missing_argument");
  });
});

/** A dead process answers nothing; whatever else fails is a failure of the test. */
function notDead(store: MortalStore) {
  return (error: unknown) => {
    if (!store.isDead) throw error;
  };
}
