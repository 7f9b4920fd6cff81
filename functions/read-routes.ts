import type { Context } from "hono";
import { type AggregateClass, Err } from "../core/index.ts";
import { aggregateAnswer, commitAnswer, json } from "./answers.ts";
import type { AppEnv, AppSetting } from "./app-setting.ts";
import { boundedPage } from "./bounded-page.ts";
import { digestTag, stateTag, taggedJson } from "./etag.ts";
import { Refusal } from "./problem.ts";
import { checkMayReadHistory, checkMayReadLog, checkMayReadState, checkMayReadViews } from "./read-access.ts";
import { pathSegment, queryInteger, queryText, requiredText } from "./request-target.ts";

/** How many commits or views are answered where the request does not say, and how many at most. */
const PAGE = 100;
const MOST = 1_000;

type Route = (context: Context<AppEnv>) => Promise<Response>;

/** Where a route's id stands: in a segment of the path, or in `?id=`, which takes every id. */
export type IdPlace = "path" | "query";

/** `GET /aggregates/{type}/{id}` and `GET /aggregates/{type}?id=`: the state, or with `?version=` the state as it was after that version. */
export function aggregateRoute({ service }: AppSetting, place: IdPlace): Route {
  return async (context) => {
    const { url } = context.req;
    const Type = typeIn(service.types, context.req.path);
    const id = idIn(context, place);
    const version = queryInteger(url, "version", 0);
    await checkMayReadState(service, context.var.actor, Type, id);
    const aggregate = await service.handler.load(context.var.actor, Type, id, version === undefined ? {} : { version });
    if (aggregate === undefined)
      throw version === undefined
        ? noAggregate()
        : Err.notFound(`version ${version} of the aggregate`, "check its id and the version");
    const answer = aggregateAnswer(aggregate);
    return taggedJson(context, JSON.stringify(answer), await stateTag(answer.version, answer.state, service.digest));
  };
}

/** `GET /aggregates/{type}/{id}/events` and `GET /aggregates/{type}/events?id=`: the commits after `?after=` (a version), at most `?limit=`. */
export function historyRoute({ service }: AppSetting, place: IdPlace): Route {
  return async (context) => {
    const { url } = context.req;
    const Type = typeIn(service.types, context.req.path);
    const id = idIn(context, place);
    const after = queryInteger(url, "after", -1) ?? -1;
    const limit = queryInteger(url, "limit", 1, MOST) ?? PAGE;
    await checkMayReadHistory(service, context.var.actor, Type, id);
    const { items, next } = await boundedPage(limit, after, async (from, most) => {
      const commits = await service.handler.history(context.var.actor, Type, id, { after: from, limit: most });
      return { items: commits.map(commitAnswer), next: commits.length === most ? commits.at(-1)?.version : undefined };
    });
    if (items.length === 0 && after === -1) throw noAggregate();
    return json({ commits: items, next });
  };
}

/** `GET /views/{collection}`: a page of views after `?after=` (an id), at most `?limit=`; with `?id=` the one view. */
export function viewsRoute(setting: AppSetting): Route {
  const one = viewRoute(setting, "query");
  return async (context) => {
    const { url } = context.req;
    if (queryText(url, "id") !== undefined) return one(context);
    const collection = await collectionIn(context, setting);
    const after = queryText(url, "after");
    const limit = queryInteger(url, "limit", 1, MOST) ?? PAGE;
    const views = setting.service.reader.views(context.var.actor.tenant, { collection });
    const { items, next } = await boundedPage(limit, after, async (from, most) => {
      const page = await views.list({ limit: most, ...(from !== undefined && { after: from }) });
      return { items: page.views, next: page.next };
    });
    return digested(context, { views: items, next });
  };
}

/** `GET /views/{collection}/{id}`: one view. */
export function viewRoute(setting: AppSetting, place: IdPlace): Route {
  return async (context) => {
    const id = idIn(context, place);
    const collection = await collectionIn(context, setting);
    const value = await setting.service.reader.views(context.var.actor.tenant, { collection }).get(id);
    if (value === undefined) throw Err.notFound("the view", "check its id");
    return digested(context, { id, value });
  };
}

/** `GET /events`: the tenant's commits after `?after=` (a position), at most `?limit=`, for auditors; `next` is where to go on. */
export function logRoute({ service }: AppSetting): Route {
  return async (context) => {
    const { actor } = context.var;
    checkMayReadLog(actor);
    const after = queryInteger(context.req.url, "after", 0) ?? 0;
    const limit = queryInteger(context.req.url, "limit", 1, MOST) ?? PAGE;
    let reached = after;
    const { items } = await boundedPage(limit, after, async (from, most) => {
      const { commits, next } = await service.reader.read(actor.tenant, from, most);
      reached = next;
      return { items: commits.map(commitAnswer), next: commits.length === most ? next : undefined };
    });
    return json({ commits: items, next: reached });
  };
}

async function digested(context: Context<AppEnv>, value: unknown): Promise<Response> {
  const text = JSON.stringify(value);
  return taggedJson(context, text, await digestTag(text));
}

/** The collection of the path, once its keeper has come to `?position=`. */
export async function collectionIn(
  context: Context<AppEnv>,
  { service, patience = 5_000, stopping }: AppSetting,
): Promise<string> {
  const { url, path, raw } = context.req;
  const collection = pathSegment(path, 1, "collection");
  const keeper = service.collections.get(collection);
  if (keeper === undefined) throw Err.notFound(`view collection ${collection}`);
  const { actor } = context.var;
  checkMayReadViews(actor, collection, keeper.readers);
  const position = queryInteger(url, "position", 0);
  if (position === undefined) return collection;
  const signal = stopping === undefined ? raw.signal : AbortSignal.any([raw.signal, stopping]);
  const { thread, handler } = keeper;
  if (await service.reader.waitFor(actor.tenant, thread, position, { handler, timeout: patience, signal })) return collection;
  throw new Refusal("behind", `the views have not come to position ${position} yet: ask again, or without position`, {
    headers: { "retry-after": "1" },
    facts: { position },
  });
}

export function typeIn(types: ReadonlyMap<string, AggregateClass>, path: string): AggregateClass {
  const name = pathSegment(path, 1, "type");
  const Type = types.get(name);
  if (Type === undefined) throw Err.notFound(`aggregate type ${name}`);
  return Type;
}

export function idIn({ req }: Context<AppEnv>, place: IdPlace): string {
  return place === "path" ? pathSegment(req.path, 2, "id") : requiredText(req.url, "id");
}

function noAggregate(): Err {
  return Err.notFound("the aggregate", "check its id");
}
