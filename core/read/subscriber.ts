import { checkArgument, checkInteger } from "../model/arguments.ts";
import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { checkId, checkName } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { own } from "../model/own.ts";
import { encodeView } from "../model/view.ts";
import type { AnyEventHandler, DeliveryPlace } from "../ports/event-handler.ts";
import type { IViews } from "../ports/views.ts";
import { placeOf } from "./generation.ts";
import { KnownViews } from "./known-views.ts";
import type { Progress } from "./progress.ts";
import type { AnyProjection } from "./projection.ts";
import type { ThreadSetting } from "./thread-lease.ts";

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

/** One handler at work on one tenant's commits under a lease. */
export interface Delivery {
  /** Called with each page before its events. */
  prepare(commits: readonly PositionedCommit[]): Promise<void>;
  handles(eventName: string): boolean;
  handle(event: StoredEvent, commit: PositionedCommit, index: number): Promise<void> | void;
}

/** Checks handlers. @throws {Err} that says which handler lacks what, or which name is there twice. */
export function subscribe(handlers: readonly AnyHandler[]): readonly Subscriber[] {
  if (!Array.isArray(handlers) || handlers.length === 0) throw Err.missingArgument("handlers");
  const names = new Set<string>();
  const collections = new Set<string>();
  return handlers.map((handler: AnyHandler) => {
    const name = checkName(handler?.name ?? ownClassName(handler), "handler.name");
    checkArgument(!names.has(name), "handlers", `two are named ${name}: give each a name of its own`);
    names.add(name);
    if (typeof handler.events !== "object" || handler.events === null) throw Err.missingArgument(`${name}.events`);
    const isProjection = "collection" in handler;
    for (const [event, step] of Object.entries(handler.events)) checkStep(step, `${name}.events.${event}`, isProjection);
    if (!isProjection) return { name, handler };
    const collection = checkName(handler.collection, `${name}.collection`);
    checkArgument(
      !collections.has(collection),
      "handlers",
      `two projections keep ${collection}: give each a collection of its own`,
    );
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

/** Puts a handler to work, a projection on one generation of its views; `known` are those that are in mind already. */
export function deliveryTo(
  { handler, name, collection }: Subscriber,
  { store, tenant, thread }: ThreadSetting,
  progress: Progress,
  generation: number | undefined,
  known = new KnownViews(),
): Delivery {
  if (collection !== undefined) {
    const place = placeOf(collection, generation);
    return new ProjectionDelivery(handler as AnyProjection, place, store.views(tenant, place), progress, known);
  }
  const events = handler.events as Readonly<Record<string, EventFunction | undefined>>;
  return {
    prepare: async () => {},
    handles: (eventName) => own(events, eventName) !== undefined,
    handle: (event, commit, index) => events[event.name]?.(tenant, event, commit, { thread, handler: name, index }),
  };
}

/** What a handler does with an event. */
export type EventFunction = (
  tenant: string,
  event: StoredEvent,
  commit: PositionedCommit,
  place: DeliveryPlace,
) => Promise<void> | void;

interface Step {
  id(event: StoredEvent, commit: PositionedCommit): string | undefined;
  next(view: JsonObject | undefined, event: StoredEvent, commit: PositionedCommit): object | undefined;
}

/** The most ids in one read of views. */
const IDS_PER_READ = 100;

class ProjectionDelivery implements Delivery {
  readonly #place: string;
  readonly #events: Readonly<Record<string, Step | undefined>>;
  readonly #views: IViews;
  readonly #progress: Progress;
  readonly #known: KnownViews;

  constructor(projection: AnyProjection, place: string, views: IViews, progress: Progress, known: KnownViews) {
    this.#place = place;
    this.#known = known;
    this.#events = projection.events as Readonly<Record<string, Step | undefined>>;
    this.#views = views;
    this.#progress = progress;
  }

  async prepare(commits: readonly PositionedCommit[]): Promise<void> {
    this.#known.forgetOldest();
    const wanted = new Set<string>();
    for (const commit of commits) {
      for (const event of commit.events) {
        const id = this.#idOrNone(event, commit);
        if (id !== undefined && !this.#known.has(id)) wanted.add(id);
      }
    }
    const ids = [...wanted];
    for (let start = 0; start < ids.length; start += IDS_PER_READ) await this.#read(ids.slice(start, start + IDS_PER_READ));
  }

  handles(eventName: string): boolean {
    return own(this.#events, eventName) !== undefined;
  }

  handle(event: StoredEvent, commit: PositionedCommit): void {
    const step = this.#events[event.name] as Step;
    const id = step.id(event, commit);
    if (id === undefined) return;
    checkId(id, `the view's id for ${event.name}`);
    const next = step.next(this.#known.get(id), event, commit);
    const encoded = next === undefined ? undefined : encodeView(next);
    this.#known.set(id, encoded?.value, encoded?.bytes ?? 0);
    this.#progress.writeView(this.#place, id, encoded);
  }

  /** An `id` that throws is the event's own failure, later; here it only means that there is nothing to read ahead. */
  #idOrNone(event: StoredEvent, commit: PositionedCommit): string | undefined {
    const step = own(this.#events, event.name);
    try {
      return step && checkId(step.id(event, commit), "id");
    } catch {
      return undefined;
    }
  }

  async #read(ids: readonly string[]): Promise<void> {
    const views = await this.#views.get(ids);
    for (const [index, id] of ids.entries()) this.#known.set(id, views[index], sizeOf(views[index]));
  }
}

function sizeOf(view: JsonObject | undefined): number {
  return view === undefined ? 0 : JSON.stringify(view).length;
}
