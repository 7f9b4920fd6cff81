import type { AccessRule, AggregateClass, Readers } from "../../core/index.ts";
import { ruleFor } from "../../core/model/access.ts";
import type { Sample } from "../samples.ts";
import { answer, type Part, parameters, problems } from "./components.ts";
import { commitStream, viewStream } from "./streams.ts";

/** Samples with their places in the walk, which order them where one needs what another did. */
export type Walk = readonly (Sample & { readonly step: number })[];

/** The operation that sends one command. */
export function commandOperation(Type: AggregateClass, type: string, command: string, walk: Walk): Part {
  const examples = walk
    .filter((sample) => sample.command === command)
    .map(({ step, data }) => [`step-${step}`, { summary: `Step ${step} of a walk on a new tenant`, value: data }]);
  const content = {
    schema: { $ref: `#/components/schemas/${command}` },
    ...(examples.length > 0 && { examples: Object.fromEntries(examples) }),
  };
  return {
    operationId: command,
    tags: [type],
    summary: words(command),
    description: `For ${senders(ruleFor(Type.access, command))}.`,
    parameters: parameters("IdempotencyKey", "CorrelationId", "IfMatch", "IfNoneMatchAny"),
    requestBody: { required: true, content: { "application/json": content } },
    responses: {
      200: answer("CommandAnswer", "Carried out; or nothing was to be done, then events is empty.", true),
      ...problems(400, 401, 403, 409, 412, 413, 415, 422, 429, 500, 501, 503),
    },
  };
}

/** The operations that read one type of aggregates, by their paths; `id` is one that the walk makes. */
export function aggregatePaths(Type: AggregateClass, type: string, id: unknown): Readonly<Record<string, Part>> {
  const name = pascal(type);
  const inPath = idInPath(id);
  return {
    [`/aggregates/${type}/{id}`]: {
      get: {
        operationId: `get${name}`,
        tags: [type],
        summary: "The state, now or as it was",
        description: `For ${readers(Type.readers)}, and whoever may send one of its commands. The ids . and .. and events: /aggregates/${type}?id=`,
        parameters: [inPath, ...parameters("Version", "IfNoneMatch")],
        responses: {
          200: answer("AggregateAnswer", "The state.", true),
          ...NOT_MODIFIED,
          ...problems(400, 401, 403, 404, 429, 500, 503),
        },
      },
    },
    [`/aggregates/${type}/{id}/events`]: {
      get: {
        operationId: `get${name}Events`,
        tags: [type],
        summary: "The history",
        description: `For whoever may send one of its commands, and members with auditor. The ids . and ..: /aggregates/${type}/events?id=`,
        parameters: [inPath, ...parameters("AfterVersion", "Limit")],
        responses: {
          200: answer("Commits", "Commits in the order of their versions.", false),
          ...problems(400, 401, 403, 404, 429, 500, 503),
        },
      },
    },
    [`/aggregates/${type}/{id}/stream`]: commitStream(type, `stream${name}`, inPath),
  };
}

/** The operations that read one collection of views, by their paths. */
export function viewPaths(collection: string, who: Readers | undefined): Readonly<Record<string, Part>> {
  const name = pascal(collection);
  const shared = { tags: [collection], description: `For ${readers(who)}.` };
  return {
    [`/views/${collection}`]: {
      get: {
        operationId: `list${name}Views`,
        ...shared,
        summary: "A page of views",
        parameters: parameters("AfterId", "Limit", "Position", "IfNoneMatch"),
        responses: {
          200: answer("Views", "Views in the order of their ids.", true),
          ...NOT_MODIFIED,
          ...problems(400, 401, 403, 429, 500, 503),
        },
      },
    },
    [`/views/${collection}/stream`]: viewStream(`stream${name}Views`, shared),
    [`/views/${collection}/{id}`]: {
      get: {
        operationId: `get${name}View`,
        ...shared,
        summary: "One view",
        parameters: [idInPath(undefined), ...parameters("Position", "IfNoneMatch")],
        responses: { 200: answer("View", "The view.", true), ...NOT_MODIFIED, ...problems(400, 401, 403, 404, 429, 500, 503) },
      },
    },
  };
}

/** The operations that every application has. */
export const COMMON_PATHS: Readonly<Record<string, Part>> = {
  "/events": {
    get: {
      operationId: "getEvents",
      tags: ["tenant"],
      summary: "The tenant's log",
      description: "For members with auditor.",
      parameters: parameters("AfterPosition", "Limit"),
      responses: { 200: answer("Commits", "Commits in the tenant's order.", false), ...problems(400, 401, 403, 429, 500, 503) },
    },
  },
  "/healthz": {
    get: {
      operationId: "getHealth",
      tags: ["server"],
      summary: "Whether the server takes requests",
      security: [],
      responses: { 200: { description: "It does." }, ...problems(503) },
    },
  },
};

const NOT_MODIFIED = { 304: { description: "The client has it." } };

function idInPath(example: unknown): Part {
  return {
    name: "id",
    in: "path",
    required: true,
    schema: { type: "string", minLength: 1, maxLength: 256 },
    ...(example !== undefined && { example }),
  };
}

function senders(rule: AccessRule | undefined): string {
  if (rule === undefined) return "nobody";
  if (typeof rule === "function") return "whom the aggregate's state admits";
  return readers(rule);
}

function readers(who: Readers | undefined): string {
  if (who === undefined || who.length === 0) return "nobody";
  return who === "tenant" ? "every member" : `members with ${who.join(" or ")}`;
}

/** `AddNumbers` as `Add numbers`. */
function words(name: string): string {
  const [first = "", ...rest] = name.split(/(?<=[a-z0-9])(?=[A-Z])/);
  return [first, ...rest.map((word) => word.toLowerCase())].join(" ");
}

/** `summing-calculators` as `SummingCalculators`. */
function pascal(name: string): string {
  return name.replace(/(?:^|[-_])([A-Za-z0-9])/g, (_whole, letter: string) => letter.toUpperCase());
}
