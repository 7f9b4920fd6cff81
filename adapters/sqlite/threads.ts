import {
  type Cursor,
  type CursorOutcome,
  type CursorUpdate,
  canonicalJson,
  type Lease,
  type Peek,
  type ThreadState,
  type Waiting,
} from "../../core/index.ts";
import { checkForward, cursorsAfter, decode, importedCursor } from "../../core/store-kit.ts";
import type { Client } from "./client.ts";
import type { ParkedEvents } from "./parked.ts";
import type { Registry, TenantRow } from "./registry.ts";
import type { ViewTable } from "./views.ts";

interface ThreadRow {
  readonly fence: number;
  readonly revision: number;
  readonly leased_until: number;
  readonly cursors: string;
  readonly waiting: string | null;
}

interface OwnerRow {
  readonly thread: string;
  readonly handler: string;
}

/** Leases and cursors, with what is written under them. Its methods run inside a transaction. */
export class Threads {
  readonly #registry: Registry;
  readonly #views: ViewTable;
  readonly #parked: ParkedEvents;
  readonly #thread;
  readonly #names;
  readonly #write;
  readonly #owner;
  readonly #claim;
  readonly #release;

  constructor(client: Client, registry: Registry, views: ViewTable, parked: ParkedEvents) {
    this.#registry = registry;
    this.#views = views;
    this.#parked = parked;
    this.#thread = client.query<ThreadRow>(
      "SELECT fence, revision, leased_until, cursors, waiting FROM threads WHERE tenant = ? AND name = ?",
    );
    this.#names = client.query<{ readonly name: string }>("SELECT name FROM threads WHERE tenant = ? ORDER BY name");
    this.#write = client.query(
      "INSERT OR REPLACE INTO threads (tenant, name, fence, revision, leased_until, cursors, waiting) VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#owner = client.query<OwnerRow>("SELECT thread, handler FROM collections WHERE tenant = ? AND name = ?");
    this.#claim = client.query("INSERT OR IGNORE INTO collections (tenant, name, thread, handler) VALUES (?, ?, ?, ?)");
    this.#release = client.query("DELETE FROM collections WHERE tenant = ? AND name = ?");
  }

  peek(tenant: string, thread: string): Peek {
    const row = this.#registry.readable(tenant);
    return { thread: row === undefined ? freeThread(0) : this.stateOf(row, thread), head: row?.head ?? 0 };
  }

  acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Lease | undefined {
    const row = this.#registry.required(tenant);
    const state = this.stateOf(row, thread);
    if (state.revision !== seen.revision) return undefined;
    const fence = state.fence + 1;
    this.#set(row, thread, { ...state, fence, leasedUntil });
    return Object.freeze({ tenant, thread, fence });
  }

  commitCursors({ tenant, thread, fence }: Lease, update: CursorUpdate): CursorOutcome {
    const row = this.#registry.readable(tenant);
    const state = row && this.stateOf(row, thread);
    if (row === undefined || state?.fence !== fence) return { status: "fenced" };
    checkForward(state.cursors, update);
    for (const { collection, handler } of update.claims ?? []) {
      const owner = this.#owner.get(row.no, collection);
      if (owner !== undefined && (owner.thread !== thread || owner.handler !== handler)) {
        return { status: "owned", collection, thread: owner.thread, handler: owner.handler };
      }
    }
    const { leasedUntil, waiting } = update;
    const cursors = cursorsAfter(state.cursors, update);
    this.#set(row, thread, {
      fence,
      leasedUntil,
      cursors,
      revision: state.revision,
      ...(waiting === undefined ? {} : { waiting }),
    });
    for (const { collection, handler } of update.claims ?? []) this.#claim.run(row.no, collection, thread, handler);
    for (const { collections } of update.forgotten ?? [])
      for (const collection of collections) this.#release.run(row.no, collection);
    for (const view of update.views ?? []) this.#views.write(row, view);
    for (const parked of update.park ?? []) this.#parked.park(row, thread, parked);
    for (const key of update.unpark ?? []) this.#parked.unpark(row, thread, key);
    return { status: "committed" };
  }

  /** A thread's state; one that was never used is free, without cursors. */
  stateOf({ no, first_fence }: TenantRow, thread: string): ThreadState {
    const found = this.#thread.get(no, thread);
    if (found === undefined) return freeThread(first_fence);
    return Object.freeze({
      fence: found.fence,
      leasedUntil: found.leased_until,
      cursors: decode(found.cursors) as unknown as Readonly<Record<string, Cursor>>,
      ...(found.waiting === null ? {} : { waiting: decode(found.waiting) as unknown as Waiting }),
      revision: String(found.revision),
    });
  }

  /** The threads of a tenant, by name. */
  names({ no }: TenantRow): readonly string[] {
    return this.#names.all(no).map(({ name }) => name);
  }

  /** Takes a thread's cursors from an export. */
  place(row: TenantRow, thread: string, positions: Readonly<Record<string, number>>): void {
    const cursors = Object.fromEntries(
      Object.entries(positions).map(([handler, position]) => [handler, importedCursor(position)]),
    );
    this.#set(row, thread, { ...this.stateOf(row, thread), cursors });
  }

  #set({ no }: TenantRow, thread: string, state: ThreadState): void {
    const waiting = state.waiting === undefined ? null : canonicalJson(state.waiting);
    this.#write.run(
      no,
      thread,
      state.fence,
      Number(state.revision) + 1,
      state.leasedUntil,
      canonicalJson(state.cursors),
      waiting,
    );
  }
}

function freeThread(firstFence: number): ThreadState {
  return Object.freeze({ fence: firstFence, leasedUntil: 0, cursors: Object.freeze({}), revision: String(firstFence) });
}
