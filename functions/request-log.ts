import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { AppEnv } from "./app-setting.ts";
import { errorFacts, type Log, type LogFacts, type Severity } from "./log.ts";
import { problemOf, problemResponse } from "./problem.ts";

/**
 * Logs each request in one line: who asked for which route, what came of it, and the error where the server failed.
 *
 * Routes stand for paths and queries, which hold ids and whatever else was typed into them; headers and bodies are not looked at but for
 * the trace. `traceProject` is the Google Cloud project whose traces are meant.
 */
export function requestLog(log: Log, traceProject: string | undefined): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    const start = performance.now();
    await next();
    const { actor, problem, requestId, failure } = context.var;
    const { status } = context.res;
    log(severityOf(status), "request", {
      method: context.req.method,
      route: routeOf(context),
      status,
      ms: Math.round((performance.now() - start) * 10) / 10,
      tenant: actor?.tenant,
      actor: actor?.id,
      code: problem,
      requestId,
      ...traceIn(context.req.raw.headers, traceProject),
      ...(failure !== undefined && { error: errorFacts(failure) }),
    });
  };
}

/** Answers what is refused before the application sees it, and logs it, with nothing of what was sent. */
export function refuseUnseen(error: unknown, log: Log | undefined): Response {
  const problem = problemOf(error);
  const { status } = problem;
  const isFailure = status >= 500;
  log?.(severityOf(status), "request", {
    route: "none",
    status,
    code: problem.body.code,
    ...(isFailure && { error: errorFacts(error) }),
  });
  return problemResponse(problem);
}

function severityOf(status: number): Severity {
  if (status === 500) return "ERROR";
  return status > 500 ? "WARNING" : "INFO";
}

/** The route that answered, as it was declared; a command by its name, which was found in the list of commands before. */
function routeOf(context: Context<AppEnv>): string {
  const { command } = context.var;
  if (command !== undefined) return `/commands/${command}`;
  const path = routePath(context);
  return path.includes("*") ? "none" : path;
}

/** The trace that the request belongs to, by W3C's header, Google's or Amazon's (whose two parts make a W3C id); as Cloud Logging wants it where the project is known. */
function traceIn(headers: Headers, project: string | undefined): LogFacts {
  const [, w3c, spanId] = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}/.exec(headers.get("traceparent") ?? "") ?? [];
  const google = /^([\da-f]{32})(?:[/;]|$)/i.exec(headers.get("x-cloud-trace-context") ?? "")?.[1];
  const amazon = /(?:^|;)Root=1-([\da-f]{8})-([\da-f]{24})(?:;|$)/.exec(headers.get("x-amzn-trace-id") ?? "");
  const trace = w3c ?? google ?? amazon?.slice(1).join("");
  if (trace === undefined) return {};
  if (project === undefined) return { trace, spanId };
  return { "logging.googleapis.com/trace": `projects/${project}/traces/${trace}`, "logging.googleapis.com/spanId": spanId };
}
