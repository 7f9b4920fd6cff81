import type { Item } from "./client.ts";

/** What a request's failure means for what it asked. */
export type Failure =
  /** A condition did not hold: an answer, not a failure. */
  | "refused"
  /** Nothing was written; trying again may help. */
  | "busy"
  /** Nobody knows whether it was carried out, or still will be. */
  | "unknown"
  /** Nothing was written, and trying again will not help. */
  | "hopeless";

/** Why the database cancelled one part of a transaction. */
export interface Reason {
  readonly code: string;
  /** The item as it was found, where a condition on it did not hold. */
  readonly item?: Item;
}

const BUSY = new Set([
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "LimitExceededException",
  "TransactionConflictException",
  "ReplicatedWriteConflictException",
  "TooManyRequestsException",
]);
const BUSY_REASONS = new Set(["TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded"]);
const HOPELESS = new Set([
  "ValidationException",
  "AccessDeniedException",
  "ResourceNotFoundException",
  "ResourceInUseException",
  "ItemCollectionSizeLimitExceededException",
  "IdempotentParameterMismatchException",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "IncompleteSignatureException",
  "MissingAuthenticationTokenException",
  "ExpiredTokenException",
  "NotAuthorized",
  "CredentialsProviderError",
  "SerializationException",
]);

/** Sorts an error of the SDK; whatever it does not know is `unknown`, which is always safe. */
export function failureOf(error: unknown): Failure {
  const { name, $metadata } = error as { readonly name?: string; readonly $metadata?: { readonly attempts?: number } };
  if (name === "ConditionalCheckFailedException") return "refused";
  if (name === "TransactionCanceledException") return failureOfReasons(reasonsOf(error));
  // An earlier attempt of the SDK's own may have had another end than this one.
  const isFirst = ($metadata?.attempts ?? 1) <= 1;
  if (name !== undefined && BUSY.has(name)) return isFirst ? "busy" : "unknown";
  // What the SDK or our own code throws before anything is sent, such as a value that cannot be marshalled.
  if (name !== undefined && HOPELESS.has(name)) return "hopeless";
  return $metadata === undefined && (error instanceof TypeError || error instanceof RangeError) ? "hopeless" : "unknown";
}

function failureOfReasons(reasons: readonly Reason[]): Failure {
  if (reasons.some(({ code }) => code === "ConditionalCheckFailed")) return "refused";
  if (reasons.some(({ code }) => code === "ValidationError" || code === "ItemCollectionSizeLimitExceeded")) return "hopeless";
  return reasons.some(({ code }) => BUSY_REASONS.has(code)) ? "busy" : "unknown";
}

/** The item that a refused condition found; undefined where there was none. */
export function itemOf(error: unknown): Item | undefined {
  return plain((error as { readonly Item?: unknown }).Item);
}

/** The reasons of a cancelled transaction, in the order of its parts. */
export function reasonsOf(error: unknown): readonly Reason[] {
  const { CancellationReasons: reasons } = error as {
    readonly CancellationReasons?: readonly { Code?: string; Item?: unknown }[];
  };
  return (reasons ?? []).map(({ Code: code = "None", Item: raw }) => {
    const item = plain(raw);
    return item === undefined ? { code } : { code, item };
  });
}

/** Items in errors come as typed attributes from some versions of the SDK, which unmarshals outputs only. */
function plain(raw: unknown): Item | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, plainValue(value)]));
}

function plainValue(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { S: text, N: number, BOOL: flag, L: list } = value as { S?: string; N?: string; BOOL?: boolean; L?: unknown[] };
  if (text !== undefined) return text;
  if (number !== undefined) return Number(number);
  if (flag !== undefined) return flag;
  return list === undefined ? value : list.map(plainValue);
}
