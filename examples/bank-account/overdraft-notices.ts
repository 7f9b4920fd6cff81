import type { IEventHandler } from "../../core/index.ts";
import type { AccountEvents } from "./account.ts";

/** What the owner of an overdrawn account is told. */
export interface OverdraftNotice {
  readonly tenant: string;
  readonly account: string;
  readonly balance: number;
  /** The same each time the notice is sent: lets the receiver drop a repeated one. */
  readonly key: string;
}

/** Sends a notice for each account that becomes overdrawn; at least once, as any handler with an effect outside the store. */
export class OverdraftNotices implements IEventHandler<AccountEvents> {
  readonly name = "OverdraftNotices";
  readonly #send: (notice: OverdraftNotice) => Promise<void>;

  constructor(send: (notice: OverdraftNotice) => Promise<void>) {
    this.#send = send;
  }

  get events(): IEventHandler<AccountEvents>["events"] {
    return {
      AccountOverdrawn: (tenant, { payload }, commit) =>
        this.#send({ tenant, account: commit.id, balance: payload.balance, key: `${commit.id}/${commit.version}` }),
    };
  }
}
