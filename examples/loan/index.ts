export { Loan, type LoanState } from "./loan.ts";
export { Loans, type LoanView } from "./loans.ts";
export { PAYMENT_TERM, PaymentWatch } from "./payment-watch.ts";
