import { AuthorizationError, ConcurrencyError, Err, type Json } from "../core/index.ts";
import type { ProblemCode } from "./client/problem-code.ts";

/** The one place where a reason becomes a status. */
export const PROBLEM_STATUS: Readonly<Record<ProblemCode, number>> = {
  missing_argument: 400,
  invalid_argument: 400,
  validation: 400,
  malformed: 400,
  unauthenticated: 401,
  authorization: 403,
  tenant: 403,
  not_found: 404,
  unknown_route: 404,
  method_not_allowed: 405,
  concurrency: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  precondition: 422,
  idempotency: 422,
  rate_limited: 429,
  integrity: 500,
  internal: 500,
  not_implemented: 501,
  store: 503,
  behind: 503,
  too_many_streams: 429,
  streams_full: 503,
  deadline: 503,
  stopping: 503,
  outdated: 503,
};

/** The statuses of problems, by name. */
export const STATUS_TITLE: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  503: "Service Unavailable",
};

type Facts = Readonly<Record<string, Json>>;
type Headers = Readonly<Record<string, string>>;

interface RefusalFacts {
  readonly headers?: Headers;
  readonly facts?: Facts;
  readonly status?: number;
}

/** A request that HTTP itself refuses; whatever the domain or a store refuses is an `Err`. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly headers: Headers;
  readonly facts: Facts;
  readonly status: number;

  /** `status` where the code's own does not fit. */
  constructor(code: ProblemCode, detail: string, { headers = {}, facts = {}, status = PROBLEM_STATUS[code] }: RefusalFacts = {}) {
    super(detail);
    this.name = "Refusal";
    this.code = code;
    this.status = status;
    this.headers = headers;
    this.facts = facts;
  }
}

/** An error as RFC 9457 tells it: `code` for programs, `detail` for people, the facts as further members. */
export interface Problem {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Facts & { readonly title: string; readonly status: number; readonly detail: string; readonly code: ProblemCode };
}

/**
 * Makes a problem of whatever was thrown. The message of an unforeseen error stays inside, because nobody checked what it says; so does a
 * store's, because it quotes the database: paths, accounts, hosts.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refusal) return problem(error.code, error.status, error.message, error.facts, error.headers);
  if (!Err.is(error) || error.code === "integrity") {
    const code = Err.is(error) ? error.code : "internal";
    return problem(code, 500, "the request failed inside the server: tell its operator, with the requestId");
  }
  if (Err.is(error, "tenant")) {
    const facts = { tenant: error.tenant, tenantStatus: error.status };
    return problem(error.code, error.status === "importing" ? 409 : PROBLEM_STATUS.tenant, error.message, facts);
  }
  if (Err.is(error, "store")) {
    const headers: Headers = error.retryable ? { "retry-after": "1" } : {};
    return problem(error.code, PROBLEM_STATUS.store, error.retryable ? STORE_AWAY : STORE_REFUSES, factsOf(error), headers);
  }
  return problem(error.code, PROBLEM_STATUS[error.code], error.message, factsOf(error));
}

const STORE_AWAY = "the store cannot be reached, or is busy: send the same again, a command with the same Idempotency-Key";
const STORE_REFUSES = "the store failed, and would again: tell its operator, with the requestId";

/** The answer that carries a problem; `requestId` where the operator should look it up in the log. */
export function problemResponse({ status, headers, body }: Problem, requestId?: string): Response {
  return new Response(JSON.stringify(requestId === undefined ? body : { ...body, requestId }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}

function problem(code: ProblemCode, status: number, detail: string, facts: Facts = {}, headers: Headers = {}): Problem {
  return { status, headers, body: { title: STATUS_TITLE[status] ?? "Error", status, detail, code, ...facts } };
}

/** What a program would want to know of an error, beside its code. */
export function factsOf(error: Err): Facts {
  if (Err.is(error, "validation")) return { path: error.path };
  if (error instanceof AuthorizationError) return { command: error.command };
  if (Err.is(error, "idempotency")) return { commandId: error.commandId };
  if (Err.is(error, "store")) return { retryable: error.retryable, outcome: error.outcome };
  if (error instanceof ConcurrencyError) {
    const { address, expected, actual } = error;
    return { aggregateType: address.type, aggregateId: address.id, expected, actual };
  }
  return {};
}
