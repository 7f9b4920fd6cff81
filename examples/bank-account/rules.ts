import { Err } from "../../core/index.ts";

/** How far below zero an account may go. */
const OVERDRAFT = 1000;

/** What one transaction leads to: pure, so that it can be asked about any balance. */
export interface Booking {
  readonly balance: number;
  /** The transaction took the account below zero. */
  readonly isOverdrawn: boolean;
}

/** Books an amount on a balance. @throws {Err} `precondition` when the balance would fall below the overdraft. */
export function book(balance: number, amount: number): Booking {
  const next = balance + amount;
  if (amount < 0 && next < -OVERDRAFT) {
    throw Err.precondition(
      `insufficient funds: the balance is ${balance}, and ${amount} would exceed the overdraft of ${OVERDRAFT}`,
    );
  }
  return { balance: next, isOverdrawn: balance >= 0 && next < 0 };
}
