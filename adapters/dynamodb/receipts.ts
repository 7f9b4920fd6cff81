import type { Receipt } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { receiptKey } from "./keys.ts";
import { textIn } from "./requests.ts";

/** How long a receipt is kept, in s: the port says at least 7 days, and the database may delete it any time after. */
const RECEIPT_LIFE = 8 * 24 * 60 * 60;

/** The item of a receipt, from a time (ms since 1970) on. */
export function encodeReceipt(tenant: string, receipt: Receipt, commitId: string, now: number): Item {
  const expires = Math.ceil(now / 1_000) + RECEIPT_LIFE;
  return { ...receiptKey(tenant, receipt.commandId), commitId, body: JSON.stringify(receipt), expires };
}

/** The receipt in an item. Frozen. */
export function receiptOf(item: Item): Receipt {
  return decode(textIn(item, "body")) as unknown as Receipt;
}
