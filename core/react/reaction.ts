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
 * An event handler that sends commands in response to events (a process manager), at once or at a set time, or cancels what it scheduled.
 *
 * Each command's id is derived from the thread, the reaction, the event and the command's place in the answer: however often the event is
 * delivered again, after a crash or a retry, the command takes effect once, for as long as its receipt lives (7 days at least). So do not
 * rewind a reaction over older events. Commands carry the event's correlationId (or, where it has none, its commitId) and its commitId as causationId.
 *
 * A command that is refused (by its aggregate, its schema or access, or a conflict with an `expectedVersion` of its own) goes to
 * `onRefused`; any other failure is retried by the reader's failure policy.
 */
export abstract class Reaction<E extends EventMap, C extends AggregateClasses = AggregateClasses> implements AnyEventHandler {
  /** Keeps the cursor, and is part of the ids of its commands and deadlines; a renamed reaction starts from the beginning. */
  abstract readonly name: string;
  /** The roles of the actor that sends its commands; that actor's id is `reaction:` and the name. */
  abstract readonly roles: readonly string[];
  /** What to do about each event. */
  abstract readonly on: ReactionSteps<E>;
  /** Sends the commands. */
  readonly commands: ICommandSender;

  constructor(commands: ICommandSender) {
    this.commands = commands;
  }

  /**
   * Called with each command that is refused, and perhaps again after a crash; what it returns is done instead, once. If that is refused
   * too, the handler has failed.
   */
  abstract onRefused(refusal: Refusal): Promise<Effects> | Promise<void> | Effects | void;

  /** Sends a command now: return it from a step. */
  protected send<Name extends CommandName<C>>(command: Name, data: CommandData<C, Name>): Effect {
    return { kind: "send", command, data: data as CommandFields };
  }

  /**
   * Sends a command at a time (ms since 1970): return it from a step. The thread needs `Deadlines` among its handlers. It replaces what was
   * scheduled under the same key (with the reaction's name 2 to 239 bytes). It is sent once or, after a crash, again with the same commandId.
   */
  protected schedule<Name extends CommandName<C>>(key: string, at: number, command: Name, data: CommandData<C, Name>): Effect {
    return { kind: "schedule", key, at, command, data: data as CommandFields };
  }

  /** Cancels what was scheduled under a key, unless it was already sent: return it from a step. */
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
