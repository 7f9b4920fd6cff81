import { Projection, type ProjectionEvents } from "../../core/index.ts";
import type { AccountEvents } from "./account.ts";

/** An account as its owner sees it. */
export interface AccountView {
  readonly owner: string;
  readonly balance: number;
  readonly transactions: number;
}

/** Keeps every account's balance, by its id. */
export class Accounts extends Projection<AccountView, AccountEvents> {
  readonly collection = "accounts";
  override readonly readers = ["manager"];

  get events(): ProjectionEvents<AccountView, AccountEvents> {
    return {
      AccountOpened: {
        id: (_event, commit) => commit.id,
        next: (_account, { payload }) => ({ owner: payload.owner, balance: 0, transactions: 0 }),
      },
      OwnerChanged: {
        id: (_event, commit) => commit.id,
        next: (account, { payload }) => account && { ...account, owner: payload.owner },
      },
      TransactionRecorded: {
        id: (_event, commit) => commit.id,
        next: (account, { payload }) =>
          account && { ...account, balance: account.balance + payload.amount, transactions: account.transactions + 1 },
      },
    };
  }
}
