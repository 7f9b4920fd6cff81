import { expect } from "chai";
import { CommandHandler, Err, StreamReader } from "../../core/index.ts";
import { Loan, type LoanState, Loans, type LoanView } from "../../examples/loan/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

type Step =
  | "CreateLoan"
  | "ApproveLoan"
  | "RejectLoan"
  | "DisburseLoan"
  | "PayLoan"
  | "DeclareArrears"
  | "SettleLoan"
  | "SendToCollections";

/** Where each step may be taken, and where it leads. */
const STEPS: Readonly<Record<Step, { readonly from: LoanState; readonly to: LoanState }>> = {
  CreateLoan: { from: "NEW", to: "CREATED" },
  ApproveLoan: { from: "CREATED", to: "APPROVED" },
  RejectLoan: { from: "CREATED", to: "REJECTED" },
  DisburseLoan: { from: "APPROVED", to: "DISBURSED" },
  PayLoan: { from: "DISBURSED", to: "PAID" },
  DeclareArrears: { from: "DISBURSED", to: "ARREARS" },
  SettleLoan: { from: "ARREARS", to: "SETTLED" },
  SendToCollections: { from: "ARREARS", to: "COLLECTIONS" },
};
const NAMES = Object.keys(STEPS) as readonly Step[];

/** The way to each state. */
const WAYS: Readonly<Record<LoanState, readonly Step[]>> = {
  NEW: [],
  CREATED: ["CreateLoan"],
  APPROVED: ["CreateLoan", "ApproveLoan"],
  REJECTED: ["CreateLoan", "RejectLoan"],
  DISBURSED: ["CreateLoan", "ApproveLoan", "DisburseLoan"],
  PAID: ["CreateLoan", "ApproveLoan", "DisburseLoan", "PayLoan"],
  ARREARS: ["CreateLoan", "ApproveLoan", "DisburseLoan", "DeclareArrears"],
  SETTLED: ["CreateLoan", "ApproveLoan", "DisburseLoan", "DeclareArrears", "SettleLoan"],
  COLLECTIONS: ["CreateLoan", "ApproveLoan", "DisburseLoan", "DeclareArrears", "SendToCollections"],
};

onEveryStore("The loan", (stage) => {
  const data = { borrower: "Bob", amount: 100_000, reason: "no income", aggregateId: "loan" };

  async function loanIn(state: LoanState) {
    const actor = actorOf(stage.newTenant());
    const handler = new CommandHandler(stage.store, [Loan]);
    const take = (step: Step) => handler.command(actor, step, data);
    for (const step of WAYS[state]) await take(step);
    return { actor, handler, take };
  }

  for (const [state, way] of Object.entries(WAYS) as [LoanState, readonly Step[]][]) {
    const allowed = NAMES.filter((step) => STEPS[step].from === state);

    for (const step of allowed) {
      it(`goes from ${state} to ${STEPS[step].to} by ${step}`, async () => {
        const { take } = await loanIn(state);
        const { aggregate } = await take(step);
        expect([aggregate.state, aggregate.aggregateVersion]).to.deep.equal([STEPS[step].to, way.length]);
      });
    }

    it(`refuses each other step from ${state}, naming the state and the command`, async () => {
      const { actor, handler, take } = await loanIn(state);
      for (const step of NAMES.filter((name) => !allowed.includes(name))) {
        const error = await rejects(Err, take(step));
        expect(error.code).to.equal("precondition");
        expect(error.message).to.equal(`loan loan is ${state}: ${step} is possible from ${STEPS[step].from} only`);
      }
      expect(await handler.history(actor, Loan, "loan")).to.have.length(way.length);
    });
  }

  it("has a history: who did what, and when the loan was in which state", async () => {
    const { actor, handler } = await loanIn("SETTLED");
    const history = await handler.history(actor, Loan, "loan");
    expect(history.map(({ version, command, events }) => [version, command, events.map(({ name }) => name)])).to.deep.equal([
      [0, "CreateLoan", ["LoanCreated"]],
      [1, "ApproveLoan", ["LoanApproved"]],
      [2, "DisburseLoan", ["LoanDisbursed"]],
      [3, "DeclareArrears", ["LoanFellInArrears"]],
      [4, "SettleLoan", ["LoanSettled"]],
    ]);
    for (const { actor: by, at } of history) {
      expect(by).to.deep.equal({ id: actor.id, name: actor.name });
      expect(at).to.be.greaterThan(1_700_000_000_000);
    }
    const states = await Promise.all(history.map(({ version }) => handler.load(actor, Loan, "loan", { version })));
    expect(states.map((loan) => loan?.state)).to.deep.equal(["CREATED", "APPROVED", "DISBURSED", "ARREARS", "SETTLED"]);
  });

  it("shows every loan's standing", async () => {
    const { actor, handler, take } = await loanIn("CREATED");
    await take("RejectLoan");
    await handler.command(actor, "CreateLoan", { borrower: "Eve", amount: 5, aggregateId: "other" });
    await handler.command(actor, "ApproveLoan", { aggregateId: "other" });
    const reader = new StreamReader(stage.store);
    const loans = new Loans();
    await pollUntilIdle(reader, actor.tenant, "views", [loans]);
    const views = reader.views<LoanView>(actor.tenant, loans);
    expect(await views.get("loan")).to.include({ borrower: "Bob", amount: 100_000, state: "REJECTED", reason: "no income" });
    expect(await views.get("other")).to.include({ borrower: "Eve", amount: 5, state: "APPROVED", changedBy: actor.name });
  });
});
