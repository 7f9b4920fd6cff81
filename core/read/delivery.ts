import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { checkId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import { own } from "../model/own.ts";
import { encodeView } from "../model/view.ts";
import type { DeliveryPlace } from "../ports/event-handler.ts";
import type { IViews } from "../ports/views.ts";
import { viewsConcerned } from "./concerned.ts";
import { placeOf } from "./generation.ts";
import { KnownViews } from "./known-views.ts";
import type { Progress } from "./progress.ts";
import type { AnyProjection } from "./projection.ts";
import type { Subscriber } from "./subscriber.ts";
import type { ThreadSetting } from "./thread-lease.ts";

/** One handler at work on one tenant's commits under a lease. */
export interface Delivery {
  /** Called with each page before its events. */
  prepare(commits: readonly PositionedCommit[]): Promise<void>;
  handles(eventName: string): boolean;
  handle(event: StoredEvent, commit: PositionedCommit, index: number): Promise<void> | void;
}

/** Puts a handler to work, a projection on one generation of its views; `known` are those that are in mind already. */
export function deliveryTo(
  { handler, name, collection }: Subscriber,
  { store, tenant, thread, upcasters }: ThreadSetting,
  progress: Progress,
  generation: number | undefined,
  known = new KnownViews(),
): Delivery {
  if (collection !== undefined) {
    const place = placeOf(collection, generation);
    const projection = handler as AnyProjection;
    return new ProjectionDelivery(projection, upcasters, place, store.views(tenant, place), progress, known);
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
  readonly #projection: AnyProjection;
  readonly #upcasters: ThreadSetting["upcasters"];
  readonly #place: string;
  readonly #events: Readonly<Record<string, Step | undefined>>;
  readonly #views: IViews;
  readonly #progress: Progress;
  readonly #known: KnownViews;

  constructor(
    projection: AnyProjection,
    upcasters: ThreadSetting["upcasters"],
    place: string,
    views: IViews,
    progress: Progress,
    known: KnownViews,
  ) {
    this.#projection = projection;
    this.#upcasters = upcasters;
    this.#place = place;
    this.#known = known;
    this.#events = projection.events as Readonly<Record<string, Step | undefined>>;
    this.#views = views;
    this.#progress = progress;
  }

  async prepare(commits: readonly PositionedCommit[]): Promise<void> {
    this.#known.forgetOldest();
    const concerned = viewsConcerned(this.#projection, this.#upcasters, commits);
    const ids = [...concerned].filter((id) => !this.#known.has(id));
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
    // Without this, a view that was not read would count as absent, and be written over.
    if (!this.#known.has(id))
      throw Err.invalidArgument(
        `the view's id for ${event.name}`,
        "derive it from the event and its commit only, the same at each call",
      );
    const next = step.next(this.#known.get(id), event, commit);
    const encoded = next === undefined ? undefined : encodeView(next);
    this.#known.set(id, encoded?.value, encoded?.bytes ?? 0);
    this.#progress.writeView(this.#place, id, encoded);
  }

  async #read(ids: readonly string[]): Promise<void> {
    const views = await this.#views.get(ids);
    for (const [index, id] of ids.entries()) this.#known.set(id, views[index], sizeOf(views[index]));
  }
}

function sizeOf(view: JsonObject | undefined): number {
  return view === undefined ? 0 : JSON.stringify(view).length;
}
