export { Account } from "./account.ts";
export { Accounts, type AccountView } from "./accounts.ts";
export { type OverdraftNotice, OverdraftNotices } from "./overdraft-notices.ts";
export { book } from "./rules.ts";
