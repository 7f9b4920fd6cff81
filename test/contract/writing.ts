import { AssertionError, expect } from "chai";
import {
  type CommitOutcome,
  type Cursor,
  type CursorUpdate,
  Err,
  type IEventStore,
  type JsonObject,
  type Lease,
  type PendingCommit,
} from "../../core/index.ts";
import { deepFreeze } from "../support/deep-freeze.ts";
import { rejects } from "../support/rejects.ts";
import { pending, type WriteFacts } from "./pending.ts";

/** Until when leases of the kit run, in ms since 1970. */
export const LEASED_UNTIL = 4_000_000_000_000;

/** Appends one pending commit and returns its outcome. */
export async function send(store: IEventStore, tenant: string, commit: PendingCommit): Promise<CommitOutcome> {
  const outcomes = await store.commit(tenant, [commit]);
  expect(outcomes.length, "outcomes").to.equal(1);
  return outcomes[0]!;
}

/** Appends one pending commit that must be committed. */
export async function commits(store: IEventStore, tenant: string, commit: PendingCommit): Promise<PendingCommit> {
  expectStatus(await send(store, tenant, commit), "committed");
  return commit;
}

/** Fails unless the outcome has this status; returns it narrowed. */
export function expectStatus<S extends CommitOutcome["status"]>(
  outcome: CommitOutcome | undefined,
  status: S,
): Extract<CommitOutcome, { status: S }> {
  if (outcome?.status === status) return outcome as Extract<CommitOutcome, { status: S }>;
  throw new AssertionError(`expected the outcome ${status}, got ${describe(outcome)}`);
}

/** Appends commits to one aggregate, one after another, from a version on; returns them. */
export async function grow(
  store: IEventStore,
  tenant: string,
  id: string,
  count: number,
  facts: Partial<WriteFacts> & { readonly snapshots?: boolean } = {},
): Promise<readonly PendingCommit[]> {
  const grown: PendingCommit[] = [];
  const { snapshots = false, version: first = 0, ...rest } = facts;
  for (let version = first; version < first + count; version++) {
    const snapshot = snapshots ? { snapshot: { schema: 0, state: { at: version } } } : {};
    grown.push(await commits(store, tenant, pending({ id, payload: { n: version }, ...rest, ...snapshot, version })));
  }
  return grown;
}

/** Leases a thread as it is now; fails if another is faster. */
export async function hold(store: IEventStore, tenant: string, thread: string, leasedUntil = LEASED_UNTIL): Promise<Lease> {
  const { thread: seen } = await store.peek(tenant, thread);
  const lease = await store.acquire(tenant, thread, seen, leasedUntil);
  if (lease === undefined) throw new AssertionError(`the lease of ${thread} was not given`);
  return lease;
}

/** A cursor update, complete and frozen as core makes them. */
export function updateOf(update: Partial<CursorUpdate>): CursorUpdate {
  return deepFreeze({ cursors: {}, leasedUntil: LEASED_UNTIL, ...update });
}

/** Writes with a lease; fails unless it is committed. */
export async function moves(store: IEventStore, lease: Lease, update: Partial<CursorUpdate>): Promise<void> {
  const outcome = await store.commitCursors(lease, updateOf(update));
  expect(outcome).to.deep.equal({ status: "committed" });
}

/** Writes with a lease that must be refused as stale. */
export async function isFenced(store: IEventStore, lease: Lease, update: Partial<CursorUpdate>): Promise<void> {
  const outcome = await store.commitCursors(lease, updateOf(update));
  expect(outcome).to.deep.equal({ status: "fenced" });
}

/** Writes with a lease in a way that must be refused as an invalid argument. */
export async function isRefused(store: IEventStore, lease: Lease, update: Partial<CursorUpdate>): Promise<void> {
  const error = await rejects(Err, store.commitCursors(lease, updateOf(update)));
  expect(error.code).to.equal("invalid_argument");
}

/** Leases a thread, claims a collection for a handler of it and writes views by id; a view without a value is deleted. */
export async function project(
  store: IEventStore,
  tenant: string,
  collection: string,
  views: Readonly<Record<string, JsonObject | undefined>>,
  { thread = "views", handler = "Balances" }: { readonly thread?: string; readonly handler?: string } = {},
): Promise<Lease> {
  const lease = await hold(store, tenant, thread);
  await moves(store, lease, {
    cursors: { [handler]: { position: 0, collection } },
    claims: [{ collection, handler }],
    views: viewWrites(collection, views),
  });
  return lease;
}

/** Spells views by id as the port takes them. */
export function viewWrites(
  collection: string,
  views: Readonly<Record<string, JsonObject | undefined>>,
): NonNullable<CursorUpdate["views"]> {
  return Object.entries(views).map(([id, value]) => ({ collection, id, ...(value === undefined ? {} : { value }) }));
}

/** The cursors of a thread. */
export async function cursorsOf(store: IEventStore, tenant: string, thread: string): Promise<Readonly<Record<string, Cursor>>> {
  return (await store.peek(tenant, thread)).thread.cursors;
}

function describe(outcome: CommitOutcome | undefined): string {
  if (outcome?.status === "failed") return `failed: ${outcome.error.message}`;
  return JSON.stringify(outcome) ?? "none";
}
