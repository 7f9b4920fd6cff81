export { Loan, type LoanEvents, type LoanState } from "./loan.ts";
export { Loans, type LoanView } from "./loans.ts";
