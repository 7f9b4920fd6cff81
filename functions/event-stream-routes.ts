import type { Context } from "hono";
import { decodeJwt } from "jose";
import { type AggregateClass, checkId, Err } from "../core/index.ts";
import { typeOf } from "../core/model/aggregate.ts";
import type { AppEnv, AppSetting } from "./app-setting.ts";
import { EventStream } from "./event-stream.ts";
import type { Guard } from "./event-stream-commit-subscriber.ts";
import { CommitStreams } from "./event-stream-commits.ts";
import { StreamLimits } from "./event-stream-limits.ts";
import { streamSetting } from "./event-stream-setting.ts";
import { ViewStreams } from "./event-stream-views.ts";
import { Refusal } from "./problem.ts";
import { checkMayReadHistory } from "./read-access.ts";
import { collectionIn, type IdPlace, idIn, typeIn } from "./read-routes.ts";
import { queryInteger, queryText } from "./request-target.ts";

type Route = (context: Context<AppEnv>) => Promise<Response>;

/** The routes of the event streams. */
export interface StreamRoutes {
  /** `GET /views/{collection}/stream`: the collection, then every change of it; with `?id=` of the one view. */
  readonly views: Route;
  /** `GET /aggregates/{type}/{id}/stream` and `GET /aggregates/{type}/stream?id=`: the commits after `?after=` (a version). */
  aggregate(place: IdPlace): Route;
}

/** Makes the routes of the event streams, which share their limits and followers. */
export function eventStreams(setting: AppSetting): StreamRoutes {
  const { service, log, stopping, streams = {} } = setting;
  if (streams === false) {
    const refuse: Route = async () => {
      throw Err.notImplemented("event streams: what serves this cannot send an answer in parts");
    };
    return { views: refuse, aggregate: () => refuse };
  }
  const bounds = streamSetting(streams);
  const limits = new StreamLimits(bounds);
  const viewStreams = new ViewStreams(service, log);
  const commitStreams = new CommitStreams(service.store, log);
  const open = ({ var: { actor, isLate }, req }: Context<AppEnv>): EventStream => {
    // Nobody would read such a stream, and it would keep its place until its lifetime ends.
    if (isLate) throw new Refusal("deadline", "the time of the request was over before its stream began: ask again");
    if (stopping?.aborted)
      throw new Refusal("stopping", "the server is stopping: come back later", { headers: { "retry-after": "1" } });
    // An answer to HEAD has no body, so nobody would ever close the stream.
    if (req.raw.method === "HEAD") throw new Refusal("method_not_allowed", "use GET here", { headers: { allow: "GET" } });
    const releaseAt = limits.admit(actor.tenant);
    const stream = new EventStream(bounds, expiryOf(req.header("Authorization") ?? ""), stopping);
    releaseAt(stream.signal);
    return stream;
  };
  return {
    views: async (context) => {
      const only = queryText(context.req.url, "id");
      if (only !== undefined) checkId(only, "id");
      const collection = await collectionIn(context, setting);
      const keeper = service.collections.get(collection);
      if (keeper === undefined) throw Err.notFound(`view collection ${collection}`);
      const stream = open(context);
      const { tenant } = context.var.actor;
      viewStreams.join(stream, keeper, { tenant, collection, only, lastId: context.req.header("Last-Event-ID") });
      return stream.response;
    },
    aggregate: (place) => async (context) => {
      const { url, path } = context.req;
      const { tenant } = context.var.actor;
      const Type = typeIn(service.types, path);
      const id = checkId(idIn(context, place), "id");
      const after = queryInteger(url, "after", -1) ?? -1;
      const guard: Guard = { check: () => checkMayReadHistory(service, context.var.actor, Type, id) };
      await guard.check();
      const stream = open(context);
      commitStreams.join(stream, {
        address: { tenant, type: typeOf(Type), id },
        after,
        lastId: context.req.header("Last-Event-ID"),
        guard: isDecidedByState(Type) ? guard : undefined,
      });
      return stream.response;
    },
  };
}

function isDecidedByState({ access }: AggregateClass): boolean {
  return typeof access === "object" && Object.values(access).some((rule) => typeof rule === "function");
}

/** When a token that was verified already ends, in ms since 1970; the end of time where it does not say. */
function expiryOf(authorization: string): number {
  try {
    const { exp } = decodeJwt(authorization.replace(/^Bearer +/i, ""));
    return exp === undefined ? Number.POSITIVE_INFINITY : exp * 1000;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
