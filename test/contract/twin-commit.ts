import type { PendingCommit } from "../../core/index.ts";
import { pending, receiptOf } from "./pending.ts";

/** An aggregate of some tenant. */
export interface Known {
  readonly type: string;
  readonly id: string;
}

/** A commit of the evil twin: it tells in every payload, snapshot and receipt whose it is. */
export function twinCommit(
  targets: readonly (Known & { readonly version: number })[],
  commitId?: string,
  commandId?: string,
): PendingCommit {
  const writes = targets.map(({ type, id, version }) => {
    const twin = `${type}/${id}`;
    return { type, id, version, payload: { twin }, snapshot: { schema: 0, state: { twin, version } } };
  });
  const { id, version } = writes[0]!;
  return pending(writes, {
    command: "Twin",
    ...(commitId !== undefined && { commitId }),
    ...(commandId !== undefined && { receipt: { ...receiptOf(commandId, id, version), actorId: "twin" } }),
  });
}
