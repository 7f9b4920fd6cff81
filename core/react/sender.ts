import { Actor } from "../model/actor.ts";
import { Err } from "../model/errors.ts";
import { encodeObject, type JsonObject } from "../model/json.ts";
import { defaultPlatform } from "../ports/platform.ts";
import type { CommandOptions } from "../write/command-request.ts";
import { REACTOR } from "./deadline.ts";
import { type CommandFields, type Effect, type Effects, listOf } from "./effect.ts";

/** What a reaction sends its commands through: a `CommandHandler`, whatever its aggregates are. */
export interface ICommandSender {
  command(actor: Actor, name: never, data: never, options: CommandOptions): Promise<unknown>;
}

/** A command of a reaction that was refused for good: sending it again would not help. */
export interface Refusal {
  readonly tenant: string;
  readonly command: string;
  readonly data: CommandFields;
  readonly error: Err;
  readonly commandId: string;
}

/** Who sends: a reaction, as far as sending goes. */
export interface Sender {
  readonly name: string;
  readonly roles: readonly string[];
  readonly commands: ICommandSender;
  onRefused(refusal: Refusal): Promise<Effects> | Promise<void> | Effects | void;
}

/** Why commands are sent, and what makes their ids: the same seed gives the same ids. */
export interface Cause {
  readonly tenant: string;
  /** Names this one delivery among all of the tenant, also after an export and an import. */
  readonly seed: readonly unknown[];
  readonly correlationId: string;
  readonly causationId: string;
}

/** What the ids of all commands of reactions begin with: a server lets nobody else send such ids, because they can be worked out. */
export const COMMAND_IDS = "reaction/";

/** What makes a command wrong rather than unlucky. */
const REFUSING = new Set<string>([
  "missing_argument",
  "invalid_argument",
  "validation",
  "authorization",
  "precondition",
  "not_found",
  "not_implemented",
]);

/**
 * Carries effects out one after another; what was carried out before, by a reader that crashed, has no effect again.
 *
 * A refused command goes to `onRefused`, whose own effects follow at once; a refusal among those is thrown, as every other failure is.
 */
export async function carryOut(sender: Sender, effects: Effects, cause: Cause): Promise<void> {
  for (const [index, effect] of listOf(effects).entries()) {
    const seed = [...cause.seed, index];
    const refusal = await attempt(sender, effect, { ...cause, seed });
    if (refusal === undefined) continue;
    const answer = listOf((await sender.onRefused(refusal)) as Effects);
    for (const [place, next] of answer.entries()) {
      const again = await attempt(sender, next, { ...cause, seed: [...seed, "refused", place] });
      if (again !== undefined) throw again.error;
    }
  }
}

/** Carries one effect out; resolves to the refusal, if there is one. */
async function attempt(sender: Sender, effect: Effect, cause: Cause): Promise<Refusal | undefined> {
  const { tenant, seed, correlationId, causationId } = cause;
  const { command, data } = commandOf(sender.name, effect, cause);
  const commandId = `${COMMAND_IDS}${await defaultPlatform.digest(JSON.stringify(seed))}`;
  try {
    // A text would hide what is no JSON: NaN would be null when its time comes.
    if (effect.kind === "schedule") encodeObject(effect.data, "data");
    await send(sender, tenant, command, data, { commandId, correlationId, causationId });
    return undefined;
  } catch (error) {
    // Whoever wired the handler forgot a class: as a refusal, the command would be lost.
    if (Err.is(error) && "unknownCommand" in error) throw effect.kind === "send" ? error : unscheduled(sender.name);
    const isRefused = Err.is(error) && (REFUSING.has(error.code) || isStale(error, data));
    if (!isRefused) throw error;
    return { tenant, command, data, error, commandId };
  }
}

function unscheduled(reaction: string): Err {
  return Err.precondition(`${reaction} schedules commands: give its CommandHandler the class ScheduledCommand too`);
}

/** Sends one command in the name of a reaction. */
export async function send(
  { name, roles, commands }: Pick<Sender, "name" | "roles" | "commands">,
  tenant: string,
  command: string,
  data: CommandFields,
  options: CommandOptions,
): Promise<void> {
  const actor = new Actor({ id: `reaction:${name}`, name, tenant, roles: [...roles, REACTOR] });
  await commands.command(actor, command as never, data as never, options);
}

/** With an expected version a conflict is an answer, not bad luck. */
function isStale(error: Err, data: CommandFields): boolean {
  return error.code === "concurrency" && data.expectedVersion !== undefined;
}

/** Scheduling and cancelling are commands too, on the deadline's own aggregate. */
function commandOf(reaction: string, effect: Effect, cause: Cause): { command: string; data: CommandFields } {
  if (effect.kind === "send") return effect;
  const aggregateId = `${reaction}/${effect.key}`;
  if (effect.kind === "cancel") return { command: "CancelDeadline", data: { aggregateId } };
  const { at, command, data } = effect;
  const { correlationId, causationId } = cause;
  const deadline = { reaction, at, command, data: JSON.stringify(data), correlationId, causationId };
  return { command: "SetDeadline", data: { aggregateId, ...deadline } satisfies JsonObject };
}
