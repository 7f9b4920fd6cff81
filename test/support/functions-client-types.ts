import type { Account, Accounts } from "../../examples/bank-account/index.ts";
import type { Post, User } from "../../examples/blog/index.ts";
import type { KeyPressCalculator, SummingCalculator, Totals } from "../../examples/calculator/index.ts";
import type { Loan, Loans } from "../../examples/loan/index.ts";

/** The classes of the example domains, as types only: what a browser's client knows of them. */
export type Aggregates = readonly [
  typeof SummingCalculator,
  typeof KeyPressCalculator,
  typeof Loan,
  typeof Account,
  typeof User,
  typeof Post,
];
/** Projections of theirs. */
export type Projections = readonly [Totals, Loans, Accounts];
