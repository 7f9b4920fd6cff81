import { type Part, parameters, problems } from "./components.ts";

const LAST_EVENT_ID: Part = {
  name: "Last-Event-ID",
  in: "header",
  description: "The id of the last event that the client has: nothing after it is left out.",
  schema: { type: "string" },
};

/** The operation that streams the commits of one type's aggregates. */
export function commitStream(type: string, operationId: string, idInPath: Part): Part {
  return {
    get: {
      operationId,
      tags: [type],
      summary: "The history, and every new commit as it comes",
      description: `For whoever may read the history. The ids . and ..: /aggregates/${type}/stream?id=`,
      parameters: [idInPath, ...parameters("AfterVersion"), LAST_EVENT_ID],
      responses: { 200: stream("Events commit, reset and end."), ...problems(400, 401, 403, 404, 429, 500, 501, 503) },
    },
  };
}

/** The operation that streams one collection, described as its other operations are. */
export function viewStream(operationId: string, shared: Part): Part {
  const onlyId: Part = { name: "id", in: "query", description: "This view only.", schema: { type: "string", minLength: 1 } };
  return {
    get: {
      operationId,
      ...shared,
      summary: "The views, and every change of them as it comes",
      parameters: [onlyId, ...parameters("Position"), LAST_EVENT_ID],
      responses: { 200: stream("Events view, reset, caught-up and end."), ...problems(400, 401, 403, 429, 500, 501, 503) },
    },
  };
}

function stream(description: string): Part {
  return {
    description: `${description} See functions/README.md.`,
    content: { "text/event-stream": { schema: { type: "string" } } },
  };
}
