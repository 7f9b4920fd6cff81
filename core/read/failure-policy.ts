import { checkInteger, checkWord } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { Cursor, Failure } from "../ports/threads.ts";

/** What happens when a handler fails. */
export interface FailurePolicy {
  /** How often an event is tried again after its first failure; default 8. */
  readonly retries?: number;
  /** How long the first retry waits, in ms; doubles with each one; default 500. */
  readonly firstDelay?: number;
  /** The longest wait before a retry, in ms; default 5 minutes. */
  readonly longestDelay?: number;
  /** After the last retry: `halt` (default) until an operator acts, or `park` the event as a dead letter and go on. */
  readonly onError?: "halt" | "park";
  /**
   * What `onError: "park"` sets aside: the `event` alone (default), or also all later events of its `aggregate` for this handler, so
   * that `retryParked` hands them over in order. Other aggregates go on either way.
   */
  readonly park?: "event" | "aggregate";
}

/** The longest error text that is stored: enough for a message, too short for a payload. */
const MAX_ERROR_LENGTH = 1_000;
const MAX_STACK_LENGTH = 4_000;

/** How long a handler waits at most before it looks whether its tenant is open again, in ms. */
const SUSPENSION_PAUSE = 10_000;

/** A policy with its defaults. */
export type FullPolicy = Required<FailurePolicy>;

/** Fills in the defaults. @throws {Err} `invalid_argument` that names the field. */
export function policyOf(policy: FailurePolicy): FullPolicy {
  return {
    retries: checkInteger(policy.retries ?? 8, "retries", 0, 1_000),
    firstDelay: checkInteger(policy.firstDelay ?? 500, "firstDelay", 1),
    longestDelay: checkInteger(policy.longestDelay ?? 5 * 60_000, "longestDelay", 1),
    onError: checkWord(policy.onError ?? "halt", "onError", "halt", "park"),
    park: checkWord(policy.park ?? "event", "park", "event", "aggregate"),
  };
}

/** A policy with what one poll wants otherwise. @throws {Err} as `policyOf`. */
export function changedPolicy(policy: FullPolicy, { onError, park }: Pick<FailurePolicy, "onError" | "park">): FullPolicy {
  return policyOf({ ...policy, onError: onError ?? policy.onError, park: park ?? policy.park });
}

/**
 * What is noted of a failure of the event at (position, index); `halted` after the last retry. The delay is half fixed, half random
 * ("equal jitter"), capped, so that retries part. A handler that could not work because its tenant is suspended has not failed: it waits.
 */
export function failureOf(
  { policy, tenant, platform }: { readonly policy: FullPolicy; readonly tenant: string; readonly platform: IPlatform },
  place: { readonly position: number; readonly index: number },
  failedBefore: number,
  error: unknown,
): Failure {
  const isWaiting = isSuspension(error, tenant);
  const attempts = isWaiting ? failedBefore : failedBefore + 1;
  const delay = isWaiting ? SUSPENSION_PAUSE : Math.min(policy.longestDelay, policy.firstDelay * 2 ** (attempts - 1));
  const halted = !isWaiting && attempts > policy.retries;
  return { ...place, attempts, retryAt: equalJitter(delay, platform), halted, error: textOf(error) };
}

/** What a cursor says of its failure at the event (position, index); where it has none there, that it stands before it. */
export function failureAt({ failure }: Cursor, position: number, index: number): Failure {
  if (failure?.position === position && failure.index === index) return failure;
  return { position, index, attempts: 0, retryAt: 0, halted: false, error: "" };
}

/** Whether work failed because its own tenant is suspended. */
export function isSuspension(error: unknown, tenant: string): boolean {
  return Err.is(error, "tenant") && error.tenant === tenant && error.status === "suspended";
}

/** When a delay (ms) from now is over, in ms since 1970: half of it is fixed, half random. */
export function equalJitter(delay: number, platform: IPlatform): number {
  return Math.ceil(platform.now() + delay / 2 + (platform.random() * delay) / 2);
}

/** The message of whatever was thrown, cut to 1,000 characters. */
export function textOf(error: unknown): string {
  const text = tried(() => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)));
  return cut(text ?? "an error of which no text can be made", MAX_ERROR_LENGTH);
}

/** Where an error was thrown, cut to 4,000 characters, as a field; nothing for what has no stack. */
export function stackOf(error: unknown): { readonly stack?: string } {
  const stack: unknown = tried(() => (error instanceof Error ? error.stack : undefined));
  return typeof stack === "string" ? { stack: cut(stack, MAX_STACK_LENGTH) } : {};
}

/** Anything can be thrown, also what throws when it is looked at; that must not end the poll. */
function tried<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** A cut may leave half of a surrogate pair, which no store takes; with the flag u, only lone halves match. */
function cut(text: string, length: number): string {
  return text.slice(0, length).replace(/\p{Cs}/gu, "\ufffd");
}
