import type { PositionedCommit } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import { defaultPlatform, type IPlatform } from "../ports/platform.ts";
import { Projection, type ProjectionEvents } from "../read/projection.ts";
import type { StreamReader } from "../read/stream-reader.ts";
import type { Deadline, DeadlineEvents } from "./deadline.ts";
import type { CommandFields } from "./effect.ts";
import { carryOut, type Sender, send } from "./sender.ts";

/** A deadline that is not met yet. */
export interface DeadlineView extends Deadline {
  /** The id of its aggregate. */
  readonly id: string;
  /** The aggregate's version, by which a deadline set anew is told from this one. */
  readonly version: number;
}

/** How soon a deadline that was met is looked at again, in case this projection did not come to it yet, in ms. */
const LOOK_AGAIN = 100;
/** How long a command waits that failed without being refused, in ms. */
const TRY_AGAIN = 10_000;
const PAGE = 50;
/** How many deadlines that were met are remembered until their views are gone. */
const REMEMBERED = 1_000;

/**
 * Keeps the commands that reactions scheduled, by their time, and sends those that are due: put it beside the reactions on their thread.
 *
 * Whoever polls the thread sends them: `StreamReader.run`, or a scheduled sweep, whose interval is then how late they may be. At least
 * once, deduplicated by the commandId. Cost: one read of views a poll.
 */
export class Deadlines extends Projection<DeadlineView, DeadlineEvents> {
  override readonly name = "evenant-deadlines";
  readonly collection = "evenant-deadlines";
  readonly #reader: Pick<StreamReader, "views">;
  readonly #reactions: ReadonlyMap<string, Sender>;
  readonly #platform: IPlatform;
  /** What this instance met: its view stays until this projection comes to the event, and is not to be met again meanwhile. */
  readonly #met = new Set<string>();

  /** `reactions` are all those that schedule: a deadline goes back to the one that set it, by its name. */
  constructor(
    reader: Pick<StreamReader, "views">,
    reactions: readonly Sender[],
    options: { readonly platform?: IPlatform } = {},
  ) {
    super();
    this.#reader = reader;
    this.#reactions = new Map(reactions.map((reaction) => [reaction.name, reaction]));
    this.#platform = options.platform ?? defaultPlatform;
  }

  get events(): ProjectionEvents<DeadlineView, DeadlineEvents> {
    return {
      DeadlineSet: {
        id: ({ payload }, commit) => viewId(payload.at, commit),
        next: (_view, { payload }, { id, version }) => ({ ...payload, id, version }),
      },
      DeadlineCancelled: { id: ({ payload }, commit) => viewId(payload.at, commit), next: () => undefined },
      DeadlineMet: { id: ({ payload }, commit) => viewId(payload.at, commit), next: () => undefined },
    };
  }

  /** Sends what is due in a tenant; resolves to when to call again, in ms since 1970: undefined while nothing is scheduled. */
  async due(tenant: string): Promise<number | undefined> {
    const views = this.#reader.views<DeadlineView>(tenant, this);
    const now = this.#platform.now();
    let nextAt: number | undefined;
    for (let after: string | undefined, isLast = false; !isLast; ) {
      const page = await views.list({ limit: PAGE, ...(after !== undefined && { after }) });
      for (const { value } of page.views) {
        if (value.at > now) return Math.min(value.at, nextAt ?? value.at);
        nextAt = Math.min(await this.#meet(tenant, value), nextAt ?? Number.POSITIVE_INFINITY);
      }
      after = page.next;
      isLast = after === undefined;
    }
    return nextAt;
  }

  /** Sends one deadline's command, then records that it was; resolves to when to look at it again. */
  async #meet(
    tenant: string,
    { id, version, reaction, command, data, correlationId, causationId }: DeadlineView,
  ): Promise<number> {
    const key = `${tenant}/${version}/${id}`;
    if (this.#met.has(key)) return this.#platform.now() + LOOK_AGAIN;
    const sender = this.#reactions.get(reaction);
    if (sender === undefined)
      throw Err.precondition(`the reaction ${reaction} has deadlines but is not among those of Deadlines`);
    const effect = { kind: "send", command, data: JSON.parse(data) as CommandFields } as const;
    const seed = ["deadline", id, version];
    try {
      await carryOut(sender, effect, { tenant, seed, correlationId, causationId });
    } catch (error) {
      // The store's troubles are everybody's; a command that fails by itself waits, and delays no other.
      if (Err.is(error, "store") || Err.is(error, "tenant")) throw error;
      return this.#platform.now() + TRY_AGAIN;
    }
    try {
      await send(sender, tenant, "MeetDeadline", { aggregateId: id, expectedVersion: version } as Record<string, Json>, {
        correlationId,
        causationId,
      });
    } catch (error) {
      // Met by somebody else, or set anew or cancelled since.
      if (!Err.is(error, "concurrency")) throw error;
    }
    if (this.#met.size >= REMEMBERED) this.#met.clear();
    this.#met.add(key);
    return this.#platform.now() + LOOK_AGAIN;
  }
}

/** Views are listed in the order of their ids: so the time comes first, with as many digits as the latest one has. */
function viewId(at: number, { id }: Pick<PositionedCommit, "id">): string {
  return `${String(at).padStart(15, "0")}/${id}`;
}
