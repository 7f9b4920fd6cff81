import { expect } from "chai";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EmptyPayload,
  Err,
  StoreError,
  StreamReader,
} from "../../core/index.ts";
import { Loan } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

let applied = 0;

/** Counts outside of itself how often its event is applied: what no aggregate should do. */
class Effect extends Aggregate<{ Done: EmptyPayload; Checked: EmptyPayload; Closed: EmptyPayload }> {
  static readonly path = "/effects";
  static readonly access = "tenant";
  done = 0;
  get commands() {
    return {
      Do: (context: CommandContext<Effect>) => context.push("Done"),
      DoAll: (context: CommandContext<Effect>) => {
        context.push("Done");
        context.push("Checked");
        context.push("Closed");
      },
    };
  }
  get events() {
    return {
      Done: () => {
        applied++;
        this.done++;
      },
      Checked: () => {},
      Closed: () => {},
    };
  }
}

onEveryStore("Seed 5 (aws-event-sourcing)", (stage) => {
  const data = { borrower: "Bob", amount: 5, aggregateId: "loan" };

  it("applied before it stored: after a failed write the loan said CREATED, with nothing stored", async () => {
    const actor = actorOf(stage.newTenant());
    let isBroken = true;
    const failing = intercepted(stage.store, {
      commit: (tenant, pending) =>
        isBroken ? Promise.reject(new StoreError("no disk", { retryable: false })) : stage.store.commit(tenant, pending),
    });
    const handler = new CommandHandler(failing, [Loan]);
    await rejects(StoreError, handler.command(actor, "CreateLoan", data));
    expect(await handler.load(actor, Loan, "loan")).to.equal(undefined);
    const refused = await rejects(Err, handler.command(actor, "ApproveLoan", { aggregateId: "loan" }));
    expect(refused.message).to.equal("loan loan is NEW: ApproveLoan is possible from CREATED only");
    isBroken = false;
    const { aggregate } = await handler.command(actor, "CreateLoan", data);
    expect([aggregate.state, aggregate.aggregateVersion]).to.deep.equal(["CREATED", 0]);
  });

  it("ran side effects in event methods 5 times for 1 event; here once for its command, and effects belong to handlers", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [Effect]);
    applied = 0;
    await handler.command(actor, "Do", { aggregateId: "effect" });
    expect(applied).to.equal(1);
    await handler.command(actor, "Do", { aggregateId: "effect" });
    expect(applied).to.equal(2);
    let handled = 0;
    const effects = { name: "effects", events: { Done: () => void handled++ } };
    for (let round = 0; round < 3; round++) await pollUntilIdle(new StreamReader(stage.store), actor.tenant, "thread", [effects]);
    expect(handled).to.equal(2);
  });

  it("let conflicts surface raw: here two clerks approve at once, and one hears that it is done", async () => {
    const actor = actorOf(stage.newTenant());
    const clerks = [1, 2].map(() => new CommandHandler(stage.store, [Loan]));
    await clerks[0]!.command(actor, "CreateLoan", data);
    await clerks[1]!.load(actor, Loan, "loan");
    const decisions = await Promise.allSettled(
      clerks.map((clerk) => clerk.command(actor, "ApproveLoan", { aggregateId: "loan" })),
    );
    expect(decisions.filter(({ status }) => status === "fulfilled")).to.have.length(1);
    const refusal = decisions.find((decision) => decision.status === "rejected")?.reason as Err;
    expect([refusal.code, refusal.message]).to.deep.equal([
      "precondition",
      "loan loan is APPROVED: ApproveLoan is possible from CREATED only",
    ]);
  });

  it("stored one event per commit", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [Effect]);
    const { aggregate } = await handler.command(actor, "DoAll", { aggregateId: "effect" });
    expect(aggregate.aggregateVersion).to.equal(0);
    const history = await handler.history(actor, Effect, "effect");
    expect(history.map(({ events }) => events.map(({ name }) => name))).to.deep.equal([["Done", "Checked", "Closed"]]);
  });
});
