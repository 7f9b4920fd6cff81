import { checkArgument, checkInteger } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { checkName } from "../model/ids.ts";
import type { AnyEventHandler } from "../ports/event-handler.ts";
import type { AnyProjection } from "./projection.ts";

/** Whatever `poll` and `run` accept. */
export type AnyHandler = AnyEventHandler | AnyProjection;

/** A handler with its name checked, as a thread keeps it. */
export interface Subscriber {
  readonly name: string;
  readonly handler: AnyHandler;
  /** The collection of a projection. */
  readonly collection?: string;
  /** The version of a projection. */
  readonly version?: number;
}

/** Checks handlers. @throws {Err} that says which handler lacks what, or which name is there twice. */
export function subscribe(handlers: readonly AnyHandler[]): readonly Subscriber[] {
  if (!Array.isArray(handlers) || handlers.length === 0) throw Err.missingArgument("handlers");
  const names = new Set<string>();
  const collections = new Set<string>();
  return handlers.map((handler: AnyHandler) => {
    const name = checkName(handler?.name ?? ownClassName(handler), "handler.name");
    checkArgument(!names.has(name), "handlers", `two are named ${name}: give each its own name`);
    names.add(name);
    if (typeof handler.events !== "object" || handler.events === null) throw Err.missingArgument(`${name}.events`);
    const isProjection = "collection" in handler;
    for (const [event, step] of Object.entries(handler.events)) checkStep(step, `${name}.events.${event}`, isProjection);
    if (!isProjection) return { name, handler };
    const collection = checkName(handler.collection, `${name}.collection`);
    checkArgument(!collections.has(collection), "handlers", `two projections keep ${collection}: give each its own collection`);
    collections.add(collection);
    const version = checkInteger(handler.version ?? 0, `${name}.version`, 0);
    return { name, handler, collection, version };
  });
}

/** A plain object has no class of its own: every one of them is an Object. */
function ownClassName(handler: AnyHandler): string | undefined {
  const name = handler?.constructor?.name;
  return name === "Object" ? undefined : name;
}

function checkStep(step: unknown, name: string, isProjection: boolean): void {
  if (step === undefined) return;
  const { id, next } = step as { id?: unknown; next?: unknown };
  const isStep = isProjection ? typeof id === "function" && typeof next === "function" : typeof step === "function";
  if (!isStep) throw Err.notImplemented(name);
}
