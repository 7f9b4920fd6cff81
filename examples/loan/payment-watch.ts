import { Reaction, type ReactionSteps, type Refusal } from "../../core/reactions.ts";
import type { Loan, LoanEvents } from "./loan.ts";

/** How long after its disbursement a loan is to be paid back, in ms: 30 days. */
export const PAYMENT_TERM = 30 * 24 * 60 * 60 * 1_000;

/** Declares a loan in arrears when its payment date has passed and nobody paid. */
export class PaymentWatch extends Reaction<LoanEvents, readonly [typeof Loan]> {
  readonly name = "PaymentWatch";
  readonly roles = ["manager"];
  readonly on: ReactionSteps<LoanEvents> = {
    LoanDisbursed: (_event, { id, at }) => this.schedule(id, at + PAYMENT_TERM, "DeclareArrears", { aggregateId: id }),
    LoanPaid: (_event, { id }) => this.cancel(id),
    LoanFellInArrears: (_event, { id }) => this.cancel(id),
  };

  /** A payment came between the date and the command: then the loan is not in arrears. */
  onRefused({ error, command }: Refusal): void {
    if (command !== "DeclareArrears" || error.code !== "precondition") throw error;
  }
}
