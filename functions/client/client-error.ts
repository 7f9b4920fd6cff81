import type { ProblemCode } from "./problem-code.ts";

/** Why a request failed: the code of the server's problem, or what only a client sees. */
export type ClientCode =
  | ProblemCode
  /** No answer came, or only part of one: the request may or may not have arrived. */
  | "network"
  /** What answered is not Evenant: a proxy, or another server. */
  | "unexpected";

/** What a client's `ClientError` carries beside its message. */
export interface ClientErrorFacts {
  readonly cause?: unknown;
  /** The facts of the problem, by name: `expected`, `actual`, `path`, `command`, … */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** How long the server asks to wait, in ms. */
  readonly retryAfter?: number;
}

/** A request that was refused or failed; the message says what to do. */
export class ClientError extends Error {
  readonly code: ClientCode;
  /** The HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly facts: Readonly<Record<string, unknown>>;
  /** How long the server asks to wait, in ms; 0 where it does not. */
  readonly retryAfter: number;
  /** The id of the command that failed, even if the client generated it: resend the command with it, and it takes effect once. */
  commandId: string | undefined;

  constructor(code: ClientCode, status: number, message: string, { cause, facts = {}, retryAfter = 0 }: ClientErrorFacts = {}) {
    super(message, { cause });
    this.name = "ClientError";
    this.code = code;
    this.status = status;
    this.facts = facts;
    this.retryAfter = retryAfter;
  }

  /**
   * Whether the same request may succeed soon: there was no answer, or the answer allows a retry. False for a closed tenant (`tenant`, with
   * `tenantStatus`), because that does not pass within seconds: a queue should keep what was refused as `suspended` or `importing`.
   */
  get isRetryable(): boolean {
    return [0, 408, 429, 502, 504].includes(this.status) || (this.status === 503 && this.facts.retryable !== false);
  }
}

/** Reads a problem, or says that it is none. */
export function errorOf(status: number, retryAfter: string | null, text: string): ClientError {
  const wait = { retryAfter: Number(retryAfter) * 1000 || 0 };
  try {
    const { title: _title, status: _status, detail, code, ...facts } = JSON.parse(text);
    if (typeof code === "string") return new ClientError(code as ClientCode, status, String(detail), { facts, ...wait });
  } catch {
    // What is no JSON is no problem of Evenant either.
  }
  return new ClientError("unexpected", status, `the answer, of status ${status}, is not Evenant's: check the URL`, wait);
}
