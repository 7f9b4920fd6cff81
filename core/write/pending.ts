import { signatureOf } from "../model/actor.ts";
import { LIMITS, type Receipt } from "../model/commit.ts";
import type { PendingCommit, PendingWrite, Verified } from "../ports/event-store.ts";
import type { Attempt } from "./attempt.ts";
import type { CommandRequest } from "./command-request.ts";
import { checkBound, type Participant } from "./participant.ts";

const NOTHING: readonly never[] = Object.freeze([]);

/** Makes what a decided attempt writes, with every bound checked. @throws {ValidationError} for a bound, or for state that is not JSON. */
export function pendingOf(request: CommandRequest, attempt: Attempt, at: number): PendingCommit {
  const { actor, command, correlationId, causationId } = request;
  let writes: readonly PendingWrite[] = NOTHING;
  let verified: readonly Verified[] = NOTHING;
  let bytes = 0;
  let life: string | undefined;
  for (const participant of attempt.participants) {
    // States of two lives never fit together: no life is spelled like both of them.
    if (participant.isVerified && participant.life !== life)
      life = life === undefined ? participant.life : `${life} ${participant.life}`;
    if (participant.events.length > 0) {
      // New arrays: there is mostly one, and an array that was made by `push` takes room for seventeen.
      const write = participant.write();
      writes = writes.length === 0 ? [write] : [...writes, write];
      bytes += participant.bytes;
    } else if (participant.isVerified) {
      const { type, id } = participant.place.address;
      verified = [...verified, { type, id, version: participant.version }];
    }
  }
  checkBound(writes.length, LIMITS.written, "aggregates are written");
  checkBound(verified.length, LIMITS.verified, "aggregates are verified");
  checkBound(bytes, LIMITS.commandBytes, "bytes of events are written");
  const receipt = receiptOf(request, attempt.main);
  const pending: { -readonly [Field in keyof PendingCommit]: PendingCommit[Field] } = {
    commitId: attempt.commitId,
    writes,
    verified,
    command: command.name,
    actor: signatureOf(actor),
    at,
  };
  // Set one by one, because spreading costs a warm command more than the rest of this function.
  if (life !== undefined) pending.life = life;
  if (receipt !== undefined) pending.receipt = receipt;
  if (correlationId !== undefined) pending.correlationId = correlationId;
  if (causationId !== undefined) pending.causationId = causationId;
  return Object.freeze(pending);
}

function receiptOf({ commandId, hash, actor }: CommandRequest, main: Participant): Receipt | undefined {
  if (commandId === undefined || hash === undefined) return undefined;
  const version = main.version + (main.events.length > 0 ? 1 : 0);
  const { type, id } = main.place.address;
  return Object.freeze({ commandId, actorId: actor.id, hash, type, id, version });
}
