export { Loan, type LoanState } from "./loan.ts";
export { Loans, type LoanView } from "./loans.ts";
