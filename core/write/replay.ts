import type { Actor } from "../model/actor.ts";
import type { AnyAggregate } from "../model/aggregate.ts";
import type { Commit, Receipt, StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { Cost } from "../ports/event-store.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";

/** The result of a command that was carried out before: the aggregate as it was then, and nothing to write. */
export class Replay implements CommandContext<AnyAggregate, JsonObject> {
  readonly actor: Actor;
  readonly command: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly expectedVersion: number | undefined;
  readonly payload: JsonObject;
  readonly aggregate: AnyAggregate;
  readonly events: readonly StoredEvent[];
  readonly commitId: string;
  readonly replayed = true;
  readonly cost: Cost = Object.freeze({ reads: 2, writes: 0 });
  readonly position: () => Promise<number>;

  constructor(
    request: CommandRequest,
    receipt: Receipt,
    aggregate: AnyAggregate,
    commit: Commit | undefined,
    position: () => Promise<number>,
  ) {
    this.actor = request.actor;
    this.command = request.command.name;
    this.aggregateType = receipt.type;
    this.aggregateId = receipt.id;
    this.expectedVersion = request.expectedVersion;
    this.payload = request.payload;
    this.aggregate = aggregate;
    // A command may have written other aggregates only: then its own aggregate's commit is an earlier command's.
    const isOwn = commit?.receipt?.commandId === receipt.commandId;
    this.events = isOwn ? commit.events : [];
    this.commitId = isOwn ? commit.commitId : "";
    this.position = position;
  }

  push(): never {
    throw finished();
  }
  async load(): Promise<never> {
    throw finished();
  }
  async append(): Promise<never> {
    throw finished();
  }
}

function finished(): Err {
  return Err.precondition("the command was carried out before: push, load and append belong inside a command");
}
