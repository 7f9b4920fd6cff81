import { Err } from "../model/errors.ts";
import { defaultPlatform, type IPlatform, type Signal } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { equalJitter, isSuspension } from "../read/failure-policy.ts";
import { Projection, type ProjectionEvents } from "../read/projection.ts";
import type { StreamReader } from "../read/stream-reader.ts";
import { type Deadline, type DeadlineEvents, viewId } from "./deadline.ts";
import type { CommandFields } from "./effect.ts";
import { carryOut, type Sender, send } from "./sender.ts";

/** A deadline that is still pending. */
export interface DeadlineView extends Deadline {
  /** The id of its aggregate. */
  readonly id: string;
  /** The aggregate's version that set it, by which a deadline set anew is told from this one. */
  readonly version: number;
}

/** How soon to look whether the view of a deadline that was met is gone, in ms. */
const LOOK_AGAIN = 100;
/** How long a deadline is left alone once it was met, or failed without being refused, in ms. */
const REST = 10_000;
const PAGE = 50;

/**
 * Keeps the commands that reactions scheduled, ordered by time, and sends those that are due: put it beside the reactions on their thread.
 *
 * Whoever polls the thread sends them: `StreamReader.run`, or a scheduled sweep, which may be late by its interval. Each is sent at least
 * once, deduplicated by its commandId, and not after it was cancelled, however far behind the views are. Cost: one read of views a poll.
 */
export class Deadlines extends Projection<DeadlineView, DeadlineEvents> {
  override readonly name = "evenant-deadlines";
  readonly collection = "evenant-deadlines";
  readonly #reader: Pick<StreamReader, "views">;
  readonly #reactions: ReadonlyMap<string, Sender>;
  readonly #platform: IPlatform;
  readonly #tracer: ITracer | undefined;
  /** Until when deadlines are left alone, in ms since 1970: the view of one that was met stays until this projection comes to the event. */
  readonly #resting = new Map<string, number>();

  /**
   * `reactions` are all those that schedule: each deadline is sent by the reaction of the name that set it. Commands whose sending failed
   * without being refused are reported to the `tracer` only.
   */
  constructor(
    reader: Pick<StreamReader, "views">,
    reactions: readonly Sender[],
    options: { readonly platform?: IPlatform; readonly tracer?: ITracer } = {},
  ) {
    super();
    this.#reader = reader;
    this.#reactions = new Map(reactions.map((reaction) => [reaction.name, reaction]));
    this.#platform = options.platform ?? defaultPlatform;
    this.#tracer = options.tracer;
  }

  get events(): ProjectionEvents<DeadlineView, DeadlineEvents> {
    return {
      DeadlineSet: {
        id: ({ payload }, { id }) => viewId(payload.at, id),
        next: (_view, { payload }, { id, version }) => ({ ...payload, id, version }),
      },
      DeadlineCancelled: { id: ({ payload }, { id }) => viewId(payload.at, id), next: () => undefined },
      DeadlineMet: { id: ({ payload }, { id }) => viewId(payload.at, id), next: () => undefined },
    };
  }

  /**
   * Sends what is due in a tenant; resolves to when to call again, in ms since 1970: undefined while nothing is scheduled. Stops after the
   * current deadline when the signal aborts.
   * @throws {Err} `precondition`, once everything else is sent, if a deadline's reaction is missing: that deadline goes on waiting.
   */
  async due(tenant: string, signal?: Signal): Promise<number | undefined> {
    const missing = new Set<string>();
    let nextAt: number | undefined;
    try {
      nextAt = await this.#meetAll(tenant, signal, missing);
    } catch (error) {
      if (!isSuspension(error, tenant)) throw error;
      // As a reaction does, it waits until the tenant takes commands again.
      nextAt = equalJitter(REST, this.#platform);
    }
    if (missing.size === 0) return nextAt;
    throw Err.precondition(
      `deadlines of tenant ${tenant} wait for ${[...missing].join(", ")}: give Deadlines the reaction of that name`,
    );
  }

  async #meetAll(tenant: string, signal: Signal | undefined, missing: Set<string>): Promise<number | undefined> {
    const views = this.#reader.views<DeadlineView>(tenant, this);
    const now = this.#platform.now();
    let nextAt: number | undefined;
    for (let after: string | undefined, isLast = false; !isLast; ) {
      const page = await views.list({ limit: PAGE, ...(after !== undefined && { after }) });
      for (const { value } of page.views) {
        if (value.at > now) return Math.min(value.at, nextAt ?? value.at);
        if (signal?.aborted) return now;
        nextAt = Math.min(await this.#meet(tenant, value, missing), nextAt ?? Number.POSITIVE_INFINITY);
      }
      after = page.next;
      isLast = after === undefined;
    }
    return nextAt;
  }

  /** Meets one deadline, unless it rests; resolves to when to look at it again. */
  async #meet(tenant: string, view: DeadlineView, missing: Set<string>): Promise<number> {
    const { id, version, reaction } = view;
    const key = `${tenant}/${version}/${id}`;
    const until = this.#resting.get(key);
    if (until !== undefined && this.#platform.now() < until) return until;
    const sender = this.#reactions.get(reaction);
    if (sender === undefined) {
      missing.add(reaction);
      return this.#rest(key, REST);
    }
    const failure = await meet(sender, tenant, view);
    if (failure !== undefined) this.#trace(tenant, view, failure);
    return this.#rest(key, failure === undefined ? LOOK_AGAIN : REST);
  }

  /** Leaves a deadline alone for a while; returns when to look at it, which may be earlier. */
  #rest(key: string, lookAfter: number): number {
    const now = this.#platform.now();
    // The oldest come first, since all rest as long: no more are kept than were met in that time.
    for (const [rested, until] of this.#resting) {
      if (now < until) break;
      this.#resting.delete(rested);
    }
    this.#resting.set(key, now + REST);
    return now + lookAfter;
  }

  #trace(tenant: string, { reaction, command }: DeadlineView, { error }: Failure): void {
    this.#tracer?.trace(() => ({ method: "error", tenant, handler: this.name, reaction, command, error }));
  }
}

interface Failure {
  readonly error: unknown;
}

/** Sends a deadline's command, then records that it was; unless the command failed by itself, and may come again. */
async function meet(sender: Sender, tenant: string, view: DeadlineView): Promise<Failure | undefined> {
  const { id, version, command, data, correlationId, causationId } = view;
  const record = (name: string) => send(sender, tenant, name, { aggregateId: id, version }, { correlationId, causationId });
  try {
    // Its view may be behind, far behind after a rewind or an import: only the aggregate knows whether it is still to be met.
    await record("CheckDeadline");
    try {
      const effect = { kind: "send", command, data: JSON.parse(data) as CommandFields } as const;
      await carryOut(sender, effect, { tenant, seed: ["deadline", id, version], correlationId, causationId });
    } catch (error) {
      // The store's troubles are everybody's; a command that fails by itself waits, and delays no other.
      if (Err.is(error, "store") || Err.is(error, "tenant")) throw error;
      return { error };
    }
    await record("MeetDeadline");
  } catch (error) {
    // Met by somebody else, or set anew or cancelled since.
    if (!Err.is(error, "concurrency")) throw error;
  }
  return undefined;
}
