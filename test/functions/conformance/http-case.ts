import type { Answer } from "../../support/functions-backend.ts";

/** Who sends: one of the people of the list, nobody (null), or the bearer of a token that is made when it is sent. */
export type Sender = keyof typeof PEOPLE | null | (() => Promise<string> | string);

/** The claims of everybody who sends requests; ada is meant where nobody is named. */
export const PEOPLE = {
  ada: { sub: "ada", roles: ["manager", "user"] },
  bob: { sub: "bob", roles: ["user"] },
  auditor: { sub: "olga", roles: ["auditor"] },
  guest: { sub: "gus", roles: [] },
  /** Everything that ada is, in another tenant. */
  twin: { sub: "ada", tenant: "twin", roles: ["manager", "user", "auditor"] },
  /** A tenant whose views are those of one case. */
  lister: { sub: "lin", tenant: "lists", roles: ["user"] },
} as const;

/** The one origin whose pages may call. */
export const ORIGIN = "https://app.example";

/** One request as data. */
export interface Sent {
  readonly method?: string;
  /** As a client spells it, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text or bytes are sent as they are, anything else as JSON. */
  readonly body?: unknown;
  readonly as?: Sender;
}

/** What must come back: the exact status, the named headers (null = must be absent), and the exact body. */
export interface Expected {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /**
   * The whole body. What differs from run to run stands as `"<commitId>"`, `"<at>"`, `"<requestId>"`, `"<position>"` and `"<id>"` (a
   * generated one). Undefined = an empty body.
   */
  readonly body?: unknown;
  /** In place of `body`: a problem with exactly this code and these facts, whose detail matches. */
  readonly problem?: { readonly code: string; readonly detail: RegExp; readonly [fact: string]: unknown };
}

/** A request and its answer; the request may be made of earlier answers. */
export interface Step {
  readonly send: Sent | ((earlier: readonly Answer[]) => Sent);
  readonly expect: Expected;
}

/** A sentence and the steps that show it; each case uses ids of its own. */
export interface HttpCase {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** A case of one request that must be refused. */
export function refusal(
  title: string,
  send: Sent,
  status: number,
  code: string,
  detail: RegExp,
  facts: Readonly<Record<string, unknown>> = {},
): HttpCase {
  return { title, steps: [{ send, expect: { status, problem: { code, detail, ...facts } } }] };
}

/** A command as a request. */
export function command(name: string, body: unknown, headers: Readonly<Record<string, string>> = {}, as: Sender = "ada"): Sent {
  return { method: "POST", path: `/commands/${name}`, headers: { "content-type": "application/json", ...headers }, body, as };
}

/** An addition to a calculator as a request. */
export function add(aggregateId: string, number1 = 1, headers: Readonly<Record<string, string>> = {}, as: Sender = "ada"): Sent {
  return command("AddNumbers", { aggregateId, number1, number2: 2 }, headers, as);
}

/** The answer to an addition. */
export function added(aggregateId: string, version: number, number1: number, sum: number): Record<string, unknown> {
  return {
    aggregateId,
    version,
    position: "<position>",
    commitId: "<commitId>",
    replayed: false,
    events: [{ name: "NumbersAdded", payload: { number1, number2: 2 }, schemaVersion: 0 }],
    state: { sum },
  };
}
