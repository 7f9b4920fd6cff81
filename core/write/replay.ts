import { keyOf } from "../model/address.ts";
import type { Receipt } from "../model/commit.ts";
import { Err, IdempotencyError } from "../model/errors.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { CommandRequest } from "./command-request.ts";
import { Participant } from "./participant.ts";
import { Place } from "./places.ts";

/**
 * The result that a command had when its receipt was made; undefined where there is none. `known` spares the read of the receipt.
 * @throws {IdempotencyError} where the commandId belongs to another command.
 */
export async function replay(request: CommandRequest, tools: AttemptTools, known?: Receipt): Promise<Attempt | undefined> {
  const { actor, command, commandId } = request;
  const { store, rehydrator } = tools.setting;
  if (commandId === undefined) return undefined;
  const receipt = known ?? (await store.receipt(actor.tenant, commandId));
  if (receipt === undefined) return undefined;
  const { type, id, version } = receipt;
  if (receipt.actorId !== actor.id || receipt.hash !== request.hash) throw new IdempotencyError(commandId);
  const { owner } = command;
  const address = { tenant: actor.tenant, type, id };
  const { aggregate, last } = await rehydrator.loadAt(owner.Type, address, version);
  // A command may have written other aggregates only: then its own aggregate's last commit is an earlier command's.
  const own = last?.receipt?.commandId === commandId ? last : undefined;
  const place = new Place(owner, address, keyOf(address));
  const main = new Participant(place, { aggregate, life: undefined, isCached: false, cost: { reads: 2, writes: 0 } }, false);
  const attempt = new Attempt(request, own?.commitId ?? "", main, tools, true);
  attempt.close();
  attempt.finish();
  main.events = own?.events ?? [];
  return attempt;
}

/**
 * The first result, if the command was carried out before; else throws the error. A command may be denied because it was carried out:
 * so a denial is replayed too, but says nothing about what others did with the commandId.
 */
export async function replayOr(request: CommandRequest, tools: AttemptTools, error: unknown): Promise<Attempt> {
  if (Err.is(error, "store")) throw error;
  const first = await replay(request, tools).catch((other: unknown) => {
    throw Err.is(error, "authorization") && Err.is(other, "idempotency") ? error : other;
  });
  if (first !== undefined) return first;
  throw error;
}
