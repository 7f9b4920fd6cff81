import * as z from "zod";
import { Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";

const application = z.object({
  borrower: z.string("give a name").min(1, "give a name"),
  amount: z.int("give whole cents").min(1, "give at least 1 cent"),
});
const rejection = z.object({ reason: z.string("give a text") });
const nothing = z.object({});

/** Where a loan stands; `NEW` = not applied for yet. */
export type LoanState =
  | "NEW"
  | "CREATED"
  | "APPROVED"
  | "REJECTED"
  | "DISBURSED"
  | "PAID"
  | "ARREARS"
  | "SETTLED"
  | "COLLECTIONS";

/** The events of a loan: name -> payload. */
export type LoanEvents = {
  LoanCreated: { borrower: string; amount: number };
  LoanApproved: Record<never, never>;
  LoanRejected: { reason: string };
  LoanDisbursed: Record<never, never>;
  LoanPaid: Record<never, never>;
  LoanFellInArrears: Record<never, never>;
  LoanSettled: Record<never, never>;
  LoanSentToCollections: Record<never, never>;
};

/**
 * A loan on its way: CREATED, then APPROVED or REJECTED; APPROVED, then DISBURSED; DISBURSED, then PAID or ARREARS; ARREARS, then
 * SETTLED or COLLECTIONS. Each step is refused from any other state.
 */
export class Loan extends Aggregate<LoanEvents> {
  static readonly path = "/loans";
  static readonly access = {
    CreateLoan: ["user"],
    ApproveLoan: ["manager"],
    RejectLoan: ["manager"],
    DisburseLoan: ["manager"],
    PayLoan: ["manager"],
    DeclareArrears: ["manager"],
    SettleLoan: ["manager"],
    SendToCollections: ["manager"],
  } as const;
  static readonly readers = ["manager"] as const;
  static readonly schemas = {
    CreateLoan: application,
    ApproveLoan: nothing,
    RejectLoan: rejection,
    DisburseLoan: nothing,
    PayLoan: nothing,
    DeclareArrears: nothing,
    SettleLoan: nothing,
    SendToCollections: nothing,
  };

  state: LoanState = "NEW";
  borrower = "";
  /** In cents. */
  amount = 0;

  get commands() {
    return {
      CreateLoan: (context: CommandContext<Loan, z.infer<typeof application>>) => {
        this.#mustBe("NEW", context);
        context.push("LoanCreated");
      },
      ApproveLoan: (context: CommandContext<Loan>) => {
        this.#mustBe("CREATED", context);
        context.push("LoanApproved");
      },
      RejectLoan: (context: CommandContext<Loan, z.infer<typeof rejection>>) => {
        this.#mustBe("CREATED", context);
        context.push("LoanRejected");
      },
      DisburseLoan: (context: CommandContext<Loan>) => {
        this.#mustBe("APPROVED", context);
        context.push("LoanDisbursed");
      },
      PayLoan: (context: CommandContext<Loan>) => {
        this.#mustBe("DISBURSED", context);
        context.push("LoanPaid");
      },
      DeclareArrears: (context: CommandContext<Loan>) => {
        this.#mustBe("DISBURSED", context);
        context.push("LoanFellInArrears");
      },
      SettleLoan: (context: CommandContext<Loan>) => {
        this.#mustBe("ARREARS", context);
        context.push("LoanSettled");
      },
      SendToCollections: (context: CommandContext<Loan>) => {
        this.#mustBe("ARREARS", context);
        context.push("LoanSentToCollections");
      },
    };
  }

  get events() {
    return {
      LoanCreated: ({ payload }: EventOf<Loan, "LoanCreated">) => {
        this.state = "CREATED";
        this.borrower = payload.borrower;
        this.amount = payload.amount;
      },
      LoanApproved: () => this.#moveTo("APPROVED"),
      LoanRejected: () => this.#moveTo("REJECTED"),
      LoanDisbursed: () => this.#moveTo("DISBURSED"),
      LoanPaid: () => this.#moveTo("PAID"),
      LoanFellInArrears: () => this.#moveTo("ARREARS"),
      LoanSettled: () => this.#moveTo("SETTLED"),
      LoanSentToCollections: () => this.#moveTo("COLLECTIONS"),
    };
  }

  #mustBe(state: LoanState, { command, aggregateId }: { readonly command: string; readonly aggregateId: string }): void {
    if (this.state !== state)
      throw Err.precondition(`loan ${aggregateId} is ${this.state}: ${command} is possible from ${state} only`);
  }

  #moveTo(state: LoanState): void {
    this.state = state;
  }
}
