import { PROBLEM_STATUS, STATUS_TITLE } from "../problem.ts";
import type { JsonSchema } from "./payload-schema.ts";

/** A part of the document. */
export type Part = { readonly [member: string]: unknown };

const integer = (minimum: number, description?: string): JsonSchema => ({
  type: "integer",
  minimum,
  ...(description !== undefined && { description }),
});
const text = { type: "string" } as const;
const object = { type: "object" } as const;

const EVENT = {
  type: "object",
  required: ["name", "payload", "schemaVersion"],
  properties: { name: text, payload: object, schemaVersion: integer(0) },
};

/** The shapes of all answers. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  CommandAnswer: {
    type: "object",
    required: ["aggregateId", "version", "position", "commitId", "replayed", "events", "state"],
    properties: {
      aggregateId: text,
      version: integer(-1),
      position: {
        type: ["integer", "null"],
        description: "Give it to a view as ?position= to read this write; null where the store cannot tell it.",
      },
      commitId: { type: ["string", "null"] },
      replayed: {
        type: "boolean",
        description: "The command was stored before, by an earlier request with the same Idempotency-Key.",
      },
      events: { type: "array", items: { $ref: "#/components/schemas/Event" } },
      state: { type: ["object", "null"] },
    },
  },
  Event: EVENT,
  AggregateAnswer: {
    type: "object",
    required: ["aggregateId", "version", "state"],
    properties: { aggregateId: text, version: integer(0), state: { type: ["object", "null"] } },
  },
  Commit: {
    type: "object",
    required: ["type", "id", "version", "commitId", "at", "actor", "command", "events"],
    properties: {
      type: text,
      id: text,
      version: integer(0),
      position: integer(1, "Only in the tenant's log."),
      commitId: text,
      at: integer(0, "ms since 1970."),
      actor: { type: "object", required: ["id", "name"], properties: { id: text, name: text } },
      command: text,
      correlationId: text,
      causationId: text,
      events: { type: "array", items: { $ref: "#/components/schemas/Event" }, description: "None in the note of a redaction." },
      redactedAt: integer(0, "When the payloads were redacted, in ms since 1970; absent if they never were."),
    },
  },
  Commits: {
    type: "object",
    required: ["commits"],
    properties: {
      commits: { type: "array", items: { $ref: "#/components/schemas/Commit" } },
      next: integer(0, "Give it as ?after= for what follows; absent where there is no more."),
    },
  },
  View: { type: "object", required: ["id", "value"], properties: { id: text, value: object } },
  Views: {
    type: "object",
    required: ["views"],
    properties: { views: { type: "array", items: { $ref: "#/components/schemas/View" } }, next: text },
  },
  Problem: {
    type: "object",
    required: ["title", "status", "detail", "code"],
    properties: {
      title: text,
      status: integer(400),
      detail: { type: "string", description: "What to do." },
      code: { type: "string", enum: Object.keys(PROBLEM_STATUS) },
      requestId: { type: "string", description: "Finds the cause in the server's log." },
    },
    description: "RFC 9457; the facts of each code are further members.",
  },
};

/** The parameters that several operations take. */
export const PARAMETERS: Readonly<Record<string, Part>> = {
  IdempotencyKey: header("Idempotency-Key", "Makes the command safe to send again.", {
    type: "string",
    minLength: 1,
    maxLength: 256,
  }),
  CorrelationId: header("X-Correlation-Id", "Kept with the commit.", { type: "string", minLength: 1, maxLength: 256 }),
  IfMatch: header("If-Match", "The ETag of the state to act upon, or its version alone; 412 if there is another.", {
    type: "string",
    pattern: '^"\\d+(-[0-9a-f]{12})?"$',
  }),
  IfNoneMatchAny: header("If-None-Match", "The aggregate must not exist yet; 412 if it does.", { const: "*" }),
  IfNoneMatch: header("If-None-Match", "ETags that the client has; 304 if one is still right.", text),
  Version: query("version", "The state as it was after this version.", integer(0)),
  AfterVersion: query("after", "Commits after this version.", integer(-1)),
  AfterPosition: query("after", "Commits after this position.", integer(0)),
  AfterId: query("after", "Views whose ids come after this one.", text),
  Limit: query("limit", "How many at most; default 100.", { type: "integer", minimum: 1, maximum: 1_000 }),
  Position: query("position", "Waits until the views have come to this position; 503 if that takes too long.", integer(0)),
};

/** A problem for each status that there is, with its codes. */
export const PROBLEMS: Readonly<Record<string, Part>> = Object.fromEntries(
  Object.entries(STATUS_TITLE).map(([status, title]) => {
    const codes = Object.entries(PROBLEM_STATUS)
      .filter(([, of]) => of === Number(status))
      .map(([code]) => code);
    const response = {
      description: codes.length === 0 ? title : `${title}: ${codes.join(", ")}`,
      content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
    };
    return [`Problem${status}`, response];
  }),
);

/** References to the problems of some statuses. */
export function problems(...statuses: readonly number[]): Part {
  return Object.fromEntries(statuses.map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]));
}

/** References to some of the parameters. */
export function parameters(...names: readonly string[]): readonly Part[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

/** An answer of JSON of a known shape, and with an ETag where it says so. */
export function answer(schema: string, description: string, hasTag: boolean): Part {
  return {
    description,
    ...(hasTag && { headers: { ETag: { schema: text } } }),
    content: { "application/json": { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}

function header(name: string, description: string, schema: JsonSchema): Part {
  return { name, in: "header", description, schema };
}

function query(name: string, description: string, schema: JsonSchema): Part {
  return { name, in: "query", description, schema };
}
