import { checkArgument, checkGiven } from "./arguments.ts";
import { isPlain, isWellFormed, utf8 } from "./text.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const NAME_RULE = "use 1 to 64 of A-Z a-z 0-9 _ -, beginning with a letter or digit";
const ID_RULE = "use 1 to 256 bytes of UTF-8 in normal form NFC, without control characters";
// C0, DEL and C1: a terminal, a log or a URL would not show them.
const CONTROL = /\p{Cc}/u;

/** Whether `value` can name a tenant, thread, handler, collection or aggregate type. */
export function isName(value: unknown): value is string {
  return typeof value === "string" && NAME.test(value);
}

/** Whether `value` can identify an aggregate, a view or a command. */
export function isId(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > 256) return false;
  if (isPlain(value)) return true;
  return !CONTROL.test(value) && isWellFormed(value) && utf8(value).length <= 256 && value.normalize("NFC") === value;
}

/** Returns `value`, or throws what is wrong with it: absent or ill-formed. `what` names the argument. */
export function checkName(value: unknown, what: string): string {
  checkGiven(value, what);
  checkArgument(isName(value), what, NAME_RULE);
  return value;
}

/** Like `checkName`, for ids of aggregates, views and commands. */
export function checkId(value: unknown, what: string): string {
  checkArgument(isId(value), what, ID_RULE);
  return value;
}
