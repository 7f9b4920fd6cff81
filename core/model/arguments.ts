import { Err } from "./errors.ts";

/** @throws {Err} `missing_argument` for undefined, null and the empty text; `what` names the argument. */
export function checkGiven(value: unknown, what: string): void {
  if (value === undefined || value === null || value === "") throw Err.missingArgument(what);
}

/** @throws {Err} `invalid_argument` unless the claim about the argument `what` holds; `expected` says what would be right. */
export function checkArgument(claim: boolean, what: string, expected: string): asserts claim {
  if (!claim) throw Err.invalidArgument(what, expected);
}

/** Returns `value` if it is an integer from `least` to `most`, both included, else throws. */
export function checkInteger(value: unknown, what: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw Err.invalidArgument(what, `give an integer from ${least} to ${most}`);
}

/** The size of a page: 1 to 1,000, default 100. */
export function checkLimit(limit: unknown = 100): number {
  return checkInteger(limit, "limit", 1, 1_000);
}

/** Returns `value` if it is one of two words, else throws. */
export function checkWord<Word extends string>(value: unknown, what: string, one: Word, other: Word): Word {
  if (value === one || value === other) return value as Word;
  throw Err.invalidArgument(what, `give "${one}" or "${other}"`);
}
