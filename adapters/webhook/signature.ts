import { createHmac } from "node:crypto";
import { Err } from "../../core/index.ts";

/** The secret of an endpoint, as Standard Webhooks writes it: `whsec_` and 24 to 64 bytes in base64. */
export type WebhookSecret = string;

/** @throws {Err} `invalid_argument` for a secret of another form; the message does not show it. */
export function keyOfSecret(secret: WebhookSecret): Buffer {
  const [, text] = typeof secret === "string" ? (/^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret) ?? []) : [];
  const key = Buffer.from(text ?? "", "base64");
  if (key.length < 24 || key.length > 64) throw Err.invalidArgument("secrets", "give whsec_ and 24 to 64 random bytes in base64");
  return key;
}

/** Signs a message with each key (Standard Webhooks, `v1`): while a secret is changed, a receiver knows one of the two. */
export function signaturesOf(keys: readonly Buffer[], id: string, timestamp: number, body: string): string {
  const sign = (key: Buffer) => `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  return keys.map(sign).join(" ");
}
