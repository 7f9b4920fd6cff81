import type { AppliedEvent, EventMap } from "../model/aggregate.ts";
import type { PositionedCommit } from "../model/commit.ts";
import type { AnyEventHandler, DeliveryPlace } from "../ports/event-handler.ts";
import type { AggregateClasses, CommandData, CommandName } from "../write/inference.ts";
import type { CommandFields, Effect, Effects } from "./effect.ts";
import { carryOut, type ICommandSender, type Refusal } from "./sender.ts";

/** What a reaction does about each event, by event name; pure: the same event gives the same effects. */
export type ReactionSteps<E extends EventMap> = {
  readonly [Name in keyof E & string]?: (event: AppliedEvent<Name, E[Name]>, commit: PositionedCommit) => Effects;
};

/**
 * An event handler that answers events with commands (a process manager): sends them, schedules them for a time, or cancels what it scheduled.
 *
 * Each command has an id that is made of the thread, the reaction, the event and the command's place in the answer: however often the event is
 * delivered again, after a crash or a retry, the command takes effect once, for as long as its receipt lives (7 days at least). So do not
 * rewind a reaction over older events. Commands carry the event's correlationId (or, where it has none, its commitId) and its commitId as causationId.
 *
 * A command that is refused (by its aggregate, its schema or access, or a conflict with an `expectedVersion` of its own) goes to
 * `onRefused`; every other failure is the handler's, and the reader's failure policy tries again.
 */
export abstract class Reaction<E extends EventMap, C extends AggregateClasses = AggregateClasses> implements AnyEventHandler {
  /** Keeps the cursor, and is part of the ids of its commands and deadlines; renaming it starts it anew. */
  abstract readonly name: string;
  /** The roles of the actor in whose name it sends; its id is `reaction:` and the name. */
  abstract readonly roles: readonly string[];
  /** What to do about each event. */
  abstract readonly on: ReactionSteps<E>;
  /** Where the commands go. */
  readonly commands: ICommandSender;

  constructor(commands: ICommandSender) {
    this.commands = commands;
  }

  /**
   * Called with each command that is refused, after a crash once more; what it returns is done in its place, once. A refusal of that is a
   * failure of the handler.
   */
  abstract onRefused(refusal: Refusal): Promise<Effects> | Promise<void> | Effects | void;

  /** A command to send now. */
  protected send<Name extends CommandName<C>>(command: Name, data: CommandData<C, Name>): Effect {
    return { kind: "send", command, data: data as CommandFields };
  }

  /**
   * A command to send at a time (ms since 1970), by a thread that has `Deadlines` among its handlers; it replaces what was scheduled under the
   * same key (with the reaction's name 2 to 239 bytes). It is sent once or, after a crash, again with the same commandId.
   */
  protected schedule<Name extends CommandName<C>>(key: string, at: number, command: Name, data: CommandData<C, Name>): Effect {
    return { kind: "schedule", key, at, command, data: data as CommandFields };
  }

  /** Takes back what was scheduled under a key, if it was not sent yet. */
  protected cancel(key: string): Effect {
    return { kind: "cancel", key };
  }

  /** The handlers that a reader calls. */
  get events(): AnyEventHandler["events"] {
    const steps = Object.entries(this.on) as [string, Step | undefined][];
    return Object.fromEntries(steps.map(([event, step]) => [event, step && this.#reacting(step)]));
  }

  #reacting(step: Step) {
    return async (tenant: string, event: never, commit: PositionedCommit, { thread, handler, index }: DeliveryPlace) => {
      const { commitId, type, id, correlationId = commitId } = commit;
      // Not by the position: an import counts positions anew, and a later event would find the receipt of an earlier one.
      const seed = [thread, handler, commitId, type, id, index];
      await carryOut(this, step(event, commit), { tenant, seed, correlationId, causationId: commitId });
    };
  }
}

type Step = (event: never, commit: PositionedCommit) => Effects;
