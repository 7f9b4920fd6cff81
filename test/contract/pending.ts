import { defaultPlatform, type JsonObject, type PendingCommit, type Receipt, type StoredEvent } from "../../core/index.ts";
import { deepFreeze } from "../support/deep-freeze.ts";

/** The type of the aggregates in the kit, where the clause is not about types. */
export const TYPE = "account";

/** What a clause says of one aggregate's part of a commit; the rest is filled in. */
export interface WriteFacts {
  readonly id: string;
  readonly version: number;
  readonly type?: string;
  readonly payload?: JsonObject;
  readonly events?: readonly StoredEvent[];
  readonly snapshot?: NonNullable<PendingCommit["writes"][number]["snapshot"]>;
}

/** An event as it is stored. */
export function eventOf(payload: JsonObject, name = "Changed", schemaVersion = 0): StoredEvent {
  return { name, payload, schemaVersion };
}

/** A pending commit on one or more aggregates, complete and frozen as core makes them. */
export function pending(
  writes: WriteFacts | readonly WriteFacts[],
  facts: Partial<Omit<PendingCommit, "writes">> = {},
): PendingCommit {
  return deepFreeze({
    commitId: defaultPlatform.newId(),
    verified: [],
    command: "Change",
    actor: { id: "ada", name: "Ada Lovelace" },
    at: 1_700_000_000_000,
    ...facts,
    writes: (Array.isArray(writes) ? (writes as readonly WriteFacts[]) : [writes as WriteFacts]).map(writeOf),
  });
}

/** The receipt of a command on one aggregate. */
export function receiptOf(commandId: string, id: string, version: number): Receipt {
  return { commandId, actorId: "ada", hash: "5f".repeat(32), type: TYPE, id, version };
}

function writeOf({ id, version, type = TYPE, payload, events, snapshot }: WriteFacts): PendingCommit["writes"][number] {
  const stored = events ?? [eventOf(payload ?? { of: id, version })];
  const bytes = Buffer.byteLength(JSON.stringify(stored));
  return { type, id, version, events: stored, bytes, ...(snapshot === undefined ? {} : { snapshot }) };
}
