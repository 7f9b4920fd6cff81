import type { AnyAggregate } from "../model/aggregate.ts";
import type { Commit, Receipt } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";

/** The result of a command that was carried out before: the aggregate as it was then, and nothing to write. */
export function replayOf(
  { actor, command, expectedVersion, payload }: CommandRequest,
  receipt: Receipt,
  aggregate: AnyAggregate,
  commit: Commit | undefined,
  position: () => Promise<number>,
): CommandContext<AnyAggregate, JsonObject> {
  // A command may have written other aggregates only: then its own aggregate's commit is an earlier command's.
  const own = commit?.receipt?.commandId === receipt.commandId ? commit : undefined;
  const refuse = () => {
    throw Err.precondition(`${command.name} was carried out before: push, load and append belong inside a command`);
  };
  return {
    actor,
    command: command.name,
    aggregateType: receipt.type,
    aggregateId: receipt.id,
    expectedVersion,
    payload,
    aggregate,
    events: own?.events ?? [],
    commitId: own?.commitId ?? "",
    replayed: true,
    cost: { reads: 2, writes: 0 },
    position,
    push: refuse,
    load: async () => refuse(),
    append: async () => refuse(),
  };
}
