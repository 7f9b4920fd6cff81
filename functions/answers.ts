import {
  type AggregateClass,
  type CommandContext,
  type Commit,
  Err,
  type Json,
  type JsonObject,
  type PositionedCommit,
  stateOf,
} from "../core/index.ts";

/** An aggregate as it is answered. */
type Instance = InstanceType<AggregateClass>;

/** Answers with JSON that nobody may cache, because it is one tenant's. */
export function json(value: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), {
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** An aggregate as it is answered, alone or by a command. */
export interface AggregateAnswer extends JsonObject {
  readonly aggregateId: string;
  readonly version: number;
  readonly state: Json;
}

/** What a command's sender learns. From here on nothing may fail any more: the command is stored. */
export async function commandAnswer(context: CommandContext<Instance, JsonObject>): Promise<AggregateAnswer> {
  return {
    aggregateId: context.aggregateId,
    version: context.aggregate.aggregateVersion,
    position: await positionOf(context),
    commitId: context.commitId === "" ? null : context.commitId,
    replayed: context.replayed,
    events: context.events as unknown as Json,
    state: stateIn(context.aggregate),
  };
}

/** An aggregate's id, version and state. */
export function aggregateAnswer(aggregate: Instance): AggregateAnswer {
  return { aggregateId: aggregate.aggregateId, version: aggregate.aggregateVersion, state: stateIn(aggregate) };
}

/** A commit without its receipt, which is between the store and the handler. */
export function commitAnswer(commit: Commit | PositionedCommit): JsonObject {
  const { tenant: _tenant, receipt: _receipt, ...rest } = commit;
  return rest as unknown as JsonObject;
}

/** The state as JSON; null where it is not JSON, as a class with `snapshot = false` may have it. */
function stateIn(aggregate: Instance): Json {
  try {
    return stateOf(aggregate).value;
  } catch (error) {
    if (Err.is(error, "validation")) return null;
    throw error;
  }
}

/** The position; null where the store cannot tell it now, which is no reason to call a stored command failed. */
async function positionOf(context: CommandContext<Instance, JsonObject>): Promise<number | null> {
  try {
    return await context.position();
  } catch (error) {
    if (Err.is(error, "store")) return null;
    throw error;
  }
}
