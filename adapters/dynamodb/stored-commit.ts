import type { Address, Commit, PendingCommit, PositionedCommit, StoredEvent } from "../../core/index.ts";
import { decode } from "../../core/store-kit.ts";
import type { Item } from "./client.ts";
import { commitKey } from "./keys.ts";
import { numberIn, textIn } from "./requests.ts";

/** What a commit's item holds as one JSON text, beside its keys, `commitId` and `position`. */
type Body = Omit<Commit, "tenant" | "type" | "id" | "version" | "commitId"> & {
  /** Aggregates without commits that this one verified: an erasure finds their tombstones here. */
  readonly raised?: readonly Pick<Address, "type" | "id">[];
};

/** The item of one write of a pending commit, at a position. */
export function commitItem(tenant: string, pending: PendingCommit, index: number, position: number): Item {
  const { type, id, version, events } = pending.writes[index] as PendingCommit["writes"][number];
  const { commitId, command, actor, at, correlationId, causationId, receipt, verified } = pending;
  const isFirst = index === 0;
  const raised = isFirst ? absentAmong(verified) : [];
  const body: Body = {
    events,
    command,
    actor,
    at,
    ...(correlationId !== undefined && { correlationId }),
    ...(causationId !== undefined && { causationId }),
    ...(receipt !== undefined && isFirst && { receipt }),
    ...(raised.length > 0 && { raised }),
  };
  return { ...commitKey({ tenant, type, id }, version), commitId, position, body: JSON.stringify(body) };
}

/** The item of a commit that is stored already, as an import brings it. */
export function importedItem(tenant: string, commit: Omit<Commit, "tenant">, position: number): Item {
  const { type, id, version, commitId, ...body } = commit;
  return { ...commitKey({ tenant, type, id }, version), commitId, position, body: JSON.stringify(body) };
}

/** The text of a commit's body after a redaction; what only the store knows of it stays. */
export function redactedBody(item: Item, events: readonly StoredEvent[], redactedAt: number): string {
  return JSON.stringify({ ...(decode(textIn(item, "body")) as unknown as Body), events, redactedAt });
}

/** The commit in an item. Deep-frozen. */
export function commitOf(address: Address, version: number, item: Item): Commit {
  const { tenant, type, id } = address;
  const { raised: _, ...body } = decode(textIn(item, "body")) as unknown as Body;
  return Object.freeze({ tenant, type, id, version, commitId: textIn(item, "commitId"), ...body });
}

/** The commit in an item, with its position. Deep-frozen. */
export function positionedCommitOf(address: Address, version: number, item: Item): PositionedCommit {
  return Object.freeze({ ...commitOf(address, version, item), position: numberIn(item, "position") });
}

/** What an erasure needs to know of a commit. */
export function tracesOf(item: Item): { readonly commandId?: string; readonly raised: NonNullable<Body["raised"]> } {
  const { receipt, raised = [] } = decode(textIn(item, "body")) as unknown as Body;
  return receipt === undefined ? { raised } : { commandId: receipt.commandId, raised };
}

function absentAmong(verified: PendingCommit["verified"]): NonNullable<Body["raised"]> {
  return verified.filter(({ version }) => version < 0).map(({ type, id }) => ({ type, id }));
}
