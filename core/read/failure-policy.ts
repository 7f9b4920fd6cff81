import { checkInteger, checkWord } from "../model/arguments.ts";
import type { Failure } from "../ports/threads.ts";

/** What happens when a handler fails. */
export interface FailurePolicy {
  /** How often an event is tried again after its first failure; default 8. */
  readonly retries?: number;
  /** How long the first retry waits, in ms; doubles with each one; default 500. */
  readonly firstDelay?: number;
  /** The most that a retry waits, in ms; default 5 minutes. */
  readonly longestDelay?: number;
  /** After the last retry: `halt` (default) until an operator's move, or `park` the event as a dead letter and go on. */
  readonly onError?: "halt" | "park";
}

/** What to do about a failure: stand at the event, or set it aside. */
export type Verdict =
  | { readonly action: "stand"; readonly failure: Failure }
  | { readonly action: "park"; readonly attempts: number; readonly error: string };

/** The longest error text that is stored: enough for a message, too short for a payload. */
const MAX_ERROR_LENGTH = 1_000;

/** A policy with its defaults. */
export type FullPolicy = Required<FailurePolicy>;

/** Fills in the defaults. @throws {Err} `invalid_argument` that names the field. */
export function policyOf(policy: FailurePolicy): FullPolicy {
  return {
    retries: checkInteger(policy.retries ?? 8, "retries", 0, 1_000),
    firstDelay: checkInteger(policy.firstDelay ?? 500, "firstDelay", 1),
    longestDelay: checkInteger(policy.longestDelay ?? 5 * 60_000, "longestDelay", 1),
    onError: checkWord(policy.onError ?? "halt", "onError", "halt", "park"),
  };
}

/** Judges a failure of the event at (position, index). The delay is half fixed, half random ("equal jitter"), capped, so that retries part. */
export function judge(
  policy: FullPolicy,
  place: { readonly position: number; readonly index: number },
  failedBefore: number,
  error: unknown,
  now: number,
  random: number,
): Verdict {
  const attempts = failedBefore + 1;
  const text = textOf(error);
  const isLast = attempts > policy.retries;
  if (isLast && policy.onError === "park") return { action: "park", attempts, error: text };
  const delay = Math.min(policy.longestDelay, policy.firstDelay * 2 ** (attempts - 1));
  const retryAt = Math.ceil(now + delay / 2 + (random * delay) / 2);
  return { action: "stand", failure: { ...place, attempts, retryAt, halted: isLast, error: text } };
}

/** The message of whatever was thrown, cut to 1,000 characters. */
export function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  // A cut may leave half of a surrogate pair, which no store takes; with the flag u, only lone halves match.
  return text.slice(0, MAX_ERROR_LENGTH).replace(/\p{Cs}/gu, "\ufffd");
}
