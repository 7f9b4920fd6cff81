import { ConcurrencyError, checkInteger, Err } from "../core/index.ts";
import { factsOf, Refusal } from "./problem.ts";

/** One strong tag, as `versionTag` spells it. */
const VERSION_TAG = /^"(0|[1-9]\d{0,15})"$/;

/**
 * The version that the headers of a command expect: `If-Match: "<version>"`, or `If-None-Match: *` for -1, an aggregate that is not there
 * yet; undefined where there is neither.
 *
 * @throws {Err} `invalid_argument` for anything else in them, and where both are given.
 */
export function versionInHeaders(headers: Headers): number | undefined {
  const match = headers.get("if-match");
  const noneMatch = headers.get("if-none-match");
  if (match !== null && noneMatch !== null) throw Err.invalidArgument("If-Match", "give either If-Match or If-None-Match");
  if (noneMatch !== null) {
    if (noneMatch.trim() === "*") return -1;
    throw Err.invalidArgument("If-None-Match", "a command takes * only, for an aggregate that must not exist yet");
  }
  if (match === null) return undefined;
  const digits = VERSION_TAG.exec(match.trim())?.[1];
  if (digits !== undefined) return checkInteger(Number(digits), "If-Match", 0);
  throw Err.invalidArgument(
    "If-Match",
    'give the one ETag that the aggregate was answered with, such as "3": not *, weak, or several',
  );
}

/** The body's data with the version of the headers. @throws {Err} `invalid_argument` where the body expects another one. */
export function withVersion(data: Record<string, unknown>, version: number | undefined): Record<string, unknown> {
  if (version === undefined || data.expectedVersion === version) return data;
  if (data.expectedVersion === undefined) return { ...data, expectedVersion: version };
  throw Err.invalidArgument("expectedVersion", "the headers If-Match and If-None-Match expect another version: give only one");
}

/** Turns a conflict with the version of the headers into their own status, 412; anything else stays as it is. */
export function asFailedPrecondition(error: unknown, version: number | undefined, aggregateId: unknown): unknown {
  const isTheirs =
    error instanceof ConcurrencyError && error.expected === version && error.address.id === aggregateId && version !== undefined;
  return isTheirs ? new Refusal("concurrency", error.message, { status: 412, facts: factsOf(error) }) : error;
}
