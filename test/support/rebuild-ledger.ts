import { type JsonObject, Projection, type ProjectionEvents } from "../../core/index.ts";
import type { WalletEvents } from "../contract/wallet.ts";

/** Counts every payment of a wallet; version 1 also keeps the last amounts, so that an event too many, too few or out of order is seen. */
export class Ledger extends Projection<JsonObject, WalletEvents> {
  override readonly name = "Ledger";
  readonly collection = "ledger";
  override readonly version: number;

  constructor(version: 0 | 1) {
    super();
    this.version = version;
  }

  get events(): ProjectionEvents<JsonObject, WalletEvents> {
    return {
      Paid: {
        id: (_event, commit) => commit.id,
        next: (view, { payload }) => nextEntry(this.version, view, payload.amount),
      },
    };
  }
}

/** One step of the ledger, for whoever folds without an engine. */
export function nextEntry(version: number, entry: JsonObject | undefined, amount: number): JsonObject {
  const counted = { sum: Number(entry?.sum ?? 0) + amount, payments: Number(entry?.payments ?? 0) + 1 };
  if (version === 0) return counted;
  const last = (entry?.last ?? []) as readonly number[];
  return { ...counted, last: [...last, amount].slice(-5) };
}
