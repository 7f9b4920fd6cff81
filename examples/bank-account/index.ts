export { Account, type AccountEvents } from "./account.ts";
export { Accounts, type AccountView } from "./accounts.ts";
export { type OverdraftNotice, OverdraftNotices } from "./overdraft-notices.ts";
export { type Booking, book, OVERDRAFT } from "./rules.ts";
