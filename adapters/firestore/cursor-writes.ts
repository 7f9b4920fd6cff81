import type { CursorUpdate, Lease, ParkedEvent, ParkedKey } from "../../core/index.ts";
import type { Write } from "./database.ts";
import { parkedKey, pathOf, viewPath } from "./keys.ts";

/** A collection that a handler wants, and the write that takes it if nobody has it. */
export interface Claim {
  readonly collection: string;
  readonly thread: string;
  readonly handler: string;
  readonly path: string;
  readonly write: Write;
}

/** The claims of an update, each collection once. */
export function claimWrites({ tenant, thread }: Lease, { claims = [] }: CursorUpdate): readonly Claim[] {
  const byCollection = new Map(claims.map((claim) => [claim.collection, claim]));
  return [...byCollection.values()].map(({ collection, handler }) => {
    const path = pathOf(tenant, "views", collection);
    return { collection, thread, handler, path, write: { kind: "create", path, fields: { thread, handler } } };
  });
}

/** The writes of an update beside the thread and its claims: views as native fields, collections given up, parked events. Each document once, the last write of it. */
export function updateWrites(
  { tenant, thread }: Lease,
  { views = [], forgotten = [], park = [], unpark = [] }: CursorUpdate,
): readonly Write[] {
  const writes = new Map<string, Write>();
  for (const collection of forgotten.flatMap(({ collections }) => collections)) {
    const path = pathOf(tenant, "views", collection);
    writes.set(path, { kind: "delete", path });
  }
  for (const { collection, id, value } of views) {
    const path = viewPath(tenant, collection, id);
    writes.set(path, value === undefined ? { kind: "delete", path } : { kind: "set", path, fields: value });
  }
  for (const parked of park) {
    const path = parkedPath(tenant, thread, parked);
    writes.set(path, { kind: "set", path, fields: parkedFields(parked) });
  }
  for (const key of unpark) {
    const path = parkedPath(tenant, thread, key);
    writes.set(path, { kind: "delete", path });
  }
  return [...writes.values()];
}

/** The path of a parked event. */
export function parkedPath(tenant: string, thread: string, key: ParkedKey): string {
  return pathOf(tenant, "parked", parkedKey(thread, key));
}

/** A parked event's document. */
export function parkedFields(parked: ParkedEvent): Record<string, unknown> {
  return { data: JSON.stringify(parked) };
}
