import { type Context, Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { defaultPlatform } from "../core/index.ts";
import { json } from "./answers.ts";
import type { AppEnv, AppSetting } from "./app-setting.ts";
import { commandRoute } from "./command-route.ts";
import { crossOrigin } from "./cross-origin.ts";
import { eventStreams } from "./event-stream-routes.ts";
import { openApiRoute } from "./openapi-route.ts";
import { problemOf, problemResponse, Refusal } from "./problem.ts";
import { RateLimiter } from "./rate-limit.ts";
import { aggregateRoute, historyRoute, logRoute, viewRoute, viewsRoute } from "./read-routes.ts";
import { requestLog } from "./request-log.ts";
import { commandIn, rawPath } from "./request-target.ts";

/** Makes the HTTP application: fetch-style, without anything of a platform. */
export function app(setting: AppSetting): Hono<AppEnv> {
  const router = new Hono<AppEnv>({ getPath: rawPath });
  const { log } = setting;
  const refuse = (context: Context<AppEnv>, error: unknown) => {
    const problem = problemOf(error);
    const isFailure = problem.status === 500 || problem.body.code === "store";
    context.set("problem", problem.body.code);
    if (isFailure) context.set("failure", error);
    return problemResponse(problem, isFailure ? context.var.requestId : undefined);
  };
  router.onError((error, context) => refuse(context, error));
  router.notFound((context) => refuse(context, unknownRoute()));
  router.use(withRequestId);
  if (log !== undefined) router.use(requestLog(log, setting.traceProject));
  if (setting.origins !== undefined) router.use(crossOrigin(setting.origins));
  router.use(methodNotAllowed({ app: router, onMethodNotAllowed: (context, methods) => refuse(context, wrongMethod(methods)) }));
  router.use(withDeadline(setting.deadline ?? 10_000));

  const member = authenticated(setting);
  router.get("/healthz", () => health(setting.stopping));
  router.get("/openapi.json", openApiRoute(setting));
  router.post("/commands/:command", member, commandRoute(setting));
  router.get("/aggregates/:type", member, aggregateRoute(setting, "query"));
  // Before the id in the path: clients shorten /aggregates/t/./events to /aggregates/t/events, which must not become the id "events".
  router.get("/aggregates/:type/events", member, historyRoute(setting, "query"));
  const streams = eventStreams(setting);
  router.get("/aggregates/:type/stream", member, streams.aggregate("query"));
  router.get("/aggregates/:type/:id/stream", member, streams.aggregate("path"));
  router.get("/aggregates/:type/:id", member, aggregateRoute(setting, "path"));
  router.get("/aggregates/:type/:id/events", member, historyRoute(setting, "path"));
  router.get("/views/:collection", member, viewsRoute(setting));
  router.get("/views/:collection/stream", member, streams.views);
  router.get("/views/:collection/:id", member, viewRoute(setting, "path"));
  router.get("/events", member, logRoute(setting));
  return router;
}

const withRequestId: MiddlewareHandler<AppEnv> = async (context, next) => {
  context.set("requestId", defaultPlatform.newId());
  await next();
};

/** Says who sends, and lets through as many of that one's requests as the limits allow, before anything else is done for them. */
function authenticated({ service, authenticate, rateLimits }: AppSetting): MiddlewareHandler<AppEnv> {
  const limiter = rateLimits && new RateLimiter(rateLimits, () => performance.now());
  return async (context, next) => {
    const command = commandIn(context.req.path);
    // Only those that there are: names that somebody made up must not fill what is kept by command.
    const isKnown = command !== undefined && service.commands.has(command);
    const actor = await authenticate(context.req.header("Authorization") ?? null, isKnown ? command : undefined);
    context.set("actor", actor);
    limiter?.admit(actor);
    await next();
  };
}

/** Answers in time, whatever happens behind; and turns whatever was thrown into an Error, which Hono asks for. */
function withDeadline(deadline: number): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const expired = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        context.set("isLate", true);
        reject(tooSlow(deadline));
      }, deadline);
    });
    try {
      await Promise.race([next(), expired]);
    } catch (error) {
      throw error instanceof Error ? error : new Error("something that is no Error was thrown", { cause: error });
    } finally {
      clearTimeout(timer);
    }
  };
}

function health(stopping: AbortSignal | undefined): Response {
  if (stopping?.aborted) throw new Refusal("stopping", "the server is stopping: ask another one, or this one later");
  return json({ status: "ok" });
}

function unknownRoute(): Refusal {
  return new Refusal(
    "unknown_route",
    "there is no such route (note that clients drop the ids . and .. from paths: send them as ?id=)",
  );
}

function wrongMethod(methods: readonly string[]): Refusal {
  return new Refusal("method_not_allowed", `use ${methods.join(" or ")} here`, { headers: { allow: methods.join(", ") } });
}

function tooSlow(deadline: number): Refusal {
  return new Refusal(
    "deadline",
    `the request was not finished within ${deadline} ms, and may still be: resend it, a command with the same Idempotency-Key`,
    { headers: { "retry-after": "1" } },
  );
}
