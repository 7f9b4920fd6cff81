import { Aggregate, type EventOf } from "../model/aggregate.ts";
import { checkArgument, checkInteger } from "../model/arguments.ts";
import { Err } from "../model/errors.ts";
import { isId } from "../model/ids.ts";
import { encodeView } from "../model/view.ts";
import type { CommandContext } from "../write/command-context.ts";

/** The role that a reaction's actor has beside its own; grant it to nobody else. */
export const REACTOR = "evenant-reactor";

/** A command that waits for its time. */
export type Deadline = {
  /** The reaction's name. */
  readonly reaction: string;
  /** ms since 1970. */
  readonly at: number;
  readonly command: string;
  /** The command's payload with its `aggregateId`, as a JSON text, since a view may not be as deep as a payload. */
  readonly data: string;
  readonly correlationId: string;
  readonly causationId: string;
};

/** The deadline that a version of its aggregate scheduled. */
type Which = { readonly version: number };

/** The events of a deadline. */
export type DeadlineEvents = {
  DeadlineSet: Deadline;
  DeadlineCancelled: { readonly at: number };
  DeadlineMet: { readonly at: number };
};

/**
 * A command that is to be sent at a time, as an aggregate of its own: so it is exported, imported and erased with its tenant.
 *
 * Its id is the reaction's name and a key of the reaction's choice. Only reactions set, cancel and meet it.
 */
export class ScheduledCommand extends Aggregate<DeadlineEvents> {
  static readonly path = "/evenant-deadlines";
  static readonly access = {
    SetDeadline: [REACTOR],
    CancelDeadline: [REACTOR],
    CheckDeadline: [REACTOR],
    MeetDeadline: [REACTOR],
  } as const;
  static readonly snapshot = { every: 100, schema: 1 } as const;

  /** When it is due, in ms since 1970; null while nothing is scheduled. */
  dueAt: number | null = null;
  /** The version that scheduled it: not always the last one, since the note of a redaction takes one too. */
  setIn = -1;

  get commands() {
    return {
      /** Replaces what was scheduled under the same key. */
      SetDeadline: (context: CommandContext<ScheduledCommand, Deadline>) => {
        checkInteger(context.payload.at, "at", 0, LATEST);
        // Refused here, because the projection could never go past it.
        const { aggregateId: id } = context;
        checkArgument(
          isId(viewId(context.payload.at, id)),
          "key",
          "shorten it: together with the reaction's name it may have 239 bytes",
        );
        encodeView({ ...context.payload, id, version: Number.MAX_SAFE_INTEGER }, "deadline");
        if (this.dueAt !== null) this.#cancel(context);
        context.push("DeadlineSet");
      },
      /** Pushes also where nothing is scheduled: without a receipt, its redelivery would cancel what was set after it. */
      CancelDeadline: (context: CommandContext<ScheduledCommand>) => this.#cancel(context),
      /** Does nothing, but tells whether the deadline of a version is still to be met. */
      CheckDeadline: (context: CommandContext<ScheduledCommand, Which>) => void this.#pending(context),
      MeetDeadline: (context: CommandContext<ScheduledCommand, Which>) =>
        context.push("DeadlineMet", { at: this.#pending(context) }),
    };
  }

  get events() {
    return {
      DeadlineSet: ({ payload }: EventOf<ScheduledCommand, "DeadlineSet">) => {
        this.dueAt = payload.at;
        this.setIn = this.aggregateVersion + 1;
      },
      DeadlineCancelled: () => {
        this.dueAt = null;
      },
      DeadlineMet: () => {
        this.dueAt = null;
      },
    };
  }

  /** When it is due. @throws {ConcurrencyError} where it was met, cancelled or set anew since. */
  #pending({ actor, aggregateType: type, aggregateId: id, payload }: CommandContext<ScheduledCommand, Which>): number {
    const { version } = payload;
    if (this.dueAt !== null && this.setIn === version) return this.dueAt;
    throw Err.concurrency({ tenant: actor.tenant, type, id }, version, this.aggregateVersion);
  }

  #cancel(context: Pick<CommandContext<ScheduledCommand>, "push">): void {
    context.push("DeadlineCancelled", { at: this.dueAt ?? 0 });
  }
}

/** The last time that can be a deadline, in ms since 1970: 31 December 9999. */
const LATEST = 253_402_300_799_999;

/** The id of a deadline's view: views are listed in the order of their ids, so the time comes first, with as many digits as the latest one has. */
export function viewId(at: number, aggregateId: string): string {
  return `${String(at).padStart(15, "0")}/${aggregateId}`;
}
