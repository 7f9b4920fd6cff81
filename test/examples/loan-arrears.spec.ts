import { expect } from "chai";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { Deadlines, ScheduledCommand } from "../../core/reactions.ts";
import { Loan, PAYMENT_TERM, PaymentWatch } from "../../examples/loan/index.ts";
import { sweeper } from "../../functions/sweep.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore, type Stage } from "../support/stores.ts";

const data = { borrower: "Bob", amount: 100_000, aggregateId: "loan" };
const NEARLY = PAYMENT_TERM - 60_000;

/** A bank whose readers poll when they are told to. */
function bankOn({ store, clock, newTenant }: Stage) {
  const actor = actorOf(newTenant());
  const handler = new CommandHandler(store, [Loan, ScheduledCommand], { platform: clock });
  const reader = new StreamReader(store, { platform: clock, aggregates: [Loan, ScheduledCommand] });
  const watch = new PaymentWatch(handler);
  const handlers = [watch, new Deadlines(reader, [watch], { platform: clock })];
  return {
    actor,
    handler,
    /** Twice: what is due is sent at the end of a poll, and the next one takes in what that did. */
    poll: async () => {
      await pollUntilIdle(reader, actor.tenant, "watch", handlers);
      await pollUntilIdle(reader, actor.tenant, "watch", handlers);
    },
    disburse: async () => {
      for (const step of ["CreateLoan", "ApproveLoan", "DisburseLoan"] as const) await handler.command(actor, step, data);
    },
    state: async () => (await handler.load(actor, Loan, "loan"))?.state,
    sweep: () => sweeper({ store, service: { reader, threads: { watch: handlers } } })({ budget: 20_000 }),
    waiting: () => reader.views(actor.tenant, { collection: "evenant-deadlines" }).list(),
  };
}

onEveryStore("A loan's payment date", (stage) => {
  it("puts the loan into arrears once it has passed, and not before", async () => {
    const bank = bankOn(stage);
    await bank.disburse();
    await bank.poll();
    stage.clock.turn(NEARLY);
    await bank.poll();
    expect(await bank.state()).to.equal("DISBURSED");
    stage.clock.turn(PAYMENT_TERM - NEARLY);
    await bank.poll();
    expect(await bank.state()).to.equal("ARREARS");
    expect((await bank.waiting()).views).to.deep.equal([]);
    expect((await bank.handler.history(bank.actor, Loan, "loan")).at(-1)).to.deep.include({
      command: "DeclareArrears",
      actor: { id: "reaction:PaymentWatch", name: "PaymentWatch" },
    });
  });

  it("is noticed by a sweep, where no reader runs", async () => {
    const bank = bankOn(stage);
    await bank.disburse();
    await bank.poll();
    expect(await bank.sweep()).to.include({ failed: 0, isComplete: true });
    expect(await bank.state()).to.equal("DISBURSED");
    stage.clock.turn(PAYMENT_TERM);
    await bank.sweep();
    expect(await bank.state()).to.equal("ARREARS");
  });

  it("means nothing to a loan that was paid", async () => {
    const bank = bankOn(stage);
    await bank.disburse();
    await bank.poll();
    await bank.handler.command(bank.actor, "PayLoan", data);
    await bank.poll();
    expect((await bank.waiting()).views).to.deep.equal([]);
    stage.clock.turn(PAYMENT_TERM);
    await bank.poll();
    expect(await bank.state()).to.equal("PAID");
  });

  it("means nothing to a loan whose payment the reaction has not seen yet", async () => {
    const bank = bankOn(stage);
    await bank.disburse();
    await bank.poll();
    await bank.handler.command(bank.actor, "PayLoan", data);
    stage.clock.turn(PAYMENT_TERM);
    await bank.poll();
    expect(await bank.state()).to.equal("PAID");
    expect((await bank.waiting()).views).to.deep.equal([]);
  });
});
