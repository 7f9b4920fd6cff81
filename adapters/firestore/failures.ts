import { StoreError } from "../../core/index.ts";

/** The gRPC codes by which Firestore refuses a write for good, having written nothing of it; and the one for a closed log. */
export const CODE = Object.freeze({
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  failedPrecondition: 9,
});

const REFUSALS: ReadonlySet<number> = new Set(Object.values(CODE));

/** Codes after which a request may have been carried out, or may be soon: cancelled, unknown, deadline, exhausted, aborted, internal, unavailable. */
const PASSING: ReadonlySet<number> = new Set([1, 2, 4, 8, 10, 13, 14]);

/** The gRPC code of an error; undefined for one that never reached gRPC (a socket's, a timer's). */
export function codeOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "number" ? code : undefined;
}

/** Whether the write was refused by a precondition or as ill-formed. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(codeOf(error) ?? -1);
}

/** Whether the same request may succeed in a moment. Errors without a code come from the network, programming errors apart. */
export function isPassing(error: unknown): boolean {
  const code = codeOf(error);
  if (code !== undefined) return PASSING.has(code);
  return !(error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError);
}

/** What a caller gets for an error of the database that is none of the expected refusals. */
export function storeError(doing: string, cause: unknown, outcome: "none" | "unknown"): StoreError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StoreError(`Firestore failed ${doing}: ${reason}`, { cause, retryable: isPassing(cause), outcome });
}
