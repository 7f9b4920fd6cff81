import { type PositionedCommit, Projection, type ProjectionEvents } from "../../core/index.ts";
import type { LoanEvents, LoanState } from "./loan.ts";

/** A loan as a clerk's list shows it. */
export interface LoanView {
  readonly borrower: string;
  /** In cents. */
  readonly amount: number;
  readonly state: LoanState;
  /** Why it was rejected. */
  readonly reason?: string;
  /** Who made the last step. */
  readonly changedBy: string;
  /** ms since 1970. */
  readonly changedAt: number;
}

const idOf = (_event: unknown, commit: PositionedCommit) => commit.id;

/** Keeps every loan's standing, by its id. */
export class Loans extends Projection<LoanView, LoanEvents> {
  readonly collection = "loans";
  override readonly readers = ["user", "manager"];

  get events(): ProjectionEvents<LoanView, LoanEvents> {
    return {
      LoanCreated: {
        id: idOf,
        next: (_loan, { payload }, { actor, at }) => ({ ...payload, state: "CREATED", changedBy: actor.name, changedAt: at }),
      },
      LoanRejected: {
        id: idOf,
        next: (loan, { payload }, commit) => {
          const rejected = moved(loan, "REJECTED", commit);
          return rejected && { ...rejected, reason: payload.reason };
        },
      },
      LoanApproved: stepTo("APPROVED"),
      LoanDisbursed: stepTo("DISBURSED"),
      LoanPaid: stepTo("PAID"),
      LoanFellInArrears: stepTo("ARREARS"),
      LoanSettled: stepTo("SETTLED"),
      LoanSentToCollections: stepTo("COLLECTIONS"),
    };
  }
}

function stepTo(state: LoanState) {
  return {
    id: idOf,
    next: (loan: LoanView | undefined, _event: unknown, commit: PositionedCommit) => moved(loan, state, commit),
  };
}

function moved(loan: LoanView | undefined, state: LoanState, { actor, at }: PositionedCommit): LoanView | undefined {
  return loan && { ...loan, state, changedBy: actor.name, changedAt: at };
}
