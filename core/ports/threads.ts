import { own } from "../model/own.ts";
import type { ViewWrite } from "./views.ts";

/** A handler's place inside a commit: at an event that failed (`attempts` above 0), or that is next after a pause or a skip. */
export interface Failure {
  /** The position of the commit that holds the event. */
  readonly position: number;
  /** The event's place in the commit, from 0; those before it are finished. */
  readonly index: number;
  /** How often the event failed. */
  readonly attempts: number;
  /** ms since 1970. */
  readonly retryAt: number;
  /** The handler waits for an operator's `resume` or `skip`. */
  readonly halted: boolean;
  /** The error's message, at most 1,000 characters. */
  readonly error: string;
}

/** A handler's place in a thread. */
export interface Cursor {
  /** Every commit up to here, included, is finished; 0 = none. */
  readonly position: number;
  /** Set while the handler stands inside a commit. */
  readonly failure?: Failure;
  /** The collection that this handler owns, once it has claimed it. */
  readonly collection?: string;
  /** A rewind is deleting the handler's views; it goes on before the next event. */
  readonly isClearing?: boolean;
  /** The version of the projection that made the views; absent = 0. */
  readonly version?: number;
  /** The generation of the collection that the views are kept in; absent = 0. */
  readonly generation?: number;
  /** Where the other generation was left behind when this one went live; absent = there is nothing to roll back to. */
  readonly retired?: Pick<Cursor, "position" | "failure" | "version">;
  /** The handler may have parked events of aggregates whose later events must wait. */
  readonly isParking?: boolean;
}

/** A place in the order that a reader waits for. */
export interface Waiting {
  readonly position: number;
  /** When it was first seen missing, in ms since 1970. */
  readonly since: number;
}

/** One named reading of a tenant: who may move it, and where its handlers stand. */
export interface ThreadState {
  /** Grows by one with every lease. */
  readonly fence: number;
  /** When the lease ends, in ms since 1970; 0 = free. */
  readonly leasedUntil: number;
  /** By handler name. */
  readonly cursors: Readonly<Record<string, Cursor>>;
  readonly waiting?: Waiting;
  /** The store's own mark of this state; changes with every write to the thread. */
  readonly revision: string;
}

/** A handler's cursor, if the thread knows it; a handler may be named like a member of every object. */
export function cursorIn({ cursors }: Pick<ThreadState, "cursors">, handler: string): Cursor | undefined {
  return own(cursors, handler);
}

/** What `peek` tells. */
export interface Peek {
  readonly thread: ThreadState;
  /** No commit of the tenant lies beyond this position yet. */
  readonly head: number;
}

/** The right to move a thread; void as soon as somebody acquires it with a higher fence. */
export interface Lease {
  readonly tenant: string;
  readonly thread: string;
  readonly fence: number;
}

/** An event that was set aside after failing, so that the handler could go on. */
export interface ParkedEvent {
  readonly handler: string;
  readonly position: number;
  readonly index: number;
  readonly event: string;
  readonly attempts: number;
  readonly error: string;
  /** ms since 1970. */
  readonly parkedAt: number;
  /** The aggregate that the event belongs to. */
  readonly aggregate?: { readonly type: string; readonly id: string };
  /** The error's stack, at most 4,000 characters. */
  readonly stack?: string;
  /** Why an operator skipped the event; absent while it waits to be retried. */
  readonly reason?: string;
  /** The generation of the views that lack the event; absent = 0. */
  readonly generation?: number;
}

/** The identity of a parked event within its thread. */
export type ParkedKey = Pick<ParkedEvent, "handler" | "position" | "index">;

/** How many views, parked and unparked events one `commitCursors` may hold together, and how many bytes of JSON. */
export const MAX_CURSOR_WRITES = 90;
/** Bytes of JSON of all the views in one `commitCursors`. */
export const MAX_CURSOR_BYTES = 3 * 1024 * 1024;

/** What a lease holder writes at once. */
export interface CursorUpdate {
  /** The new cursors of the handlers that moved; the others stay. */
  readonly cursors: Readonly<Record<string, Cursor>>;
  /** Handlers whose cursor may move back: an operator's rewind. */
  readonly rewound?: readonly string[];
  readonly views?: readonly ViewWrite[];
  /** Collections to claim for a handler of this thread, before or with its first view. */
  readonly claims?: readonly {
    readonly collection: string;
    readonly handler: string;
  }[];
  /** Handlers of which the thread knows nothing afterwards, with the collections of theirs that anybody may claim then; none is among `cursors`. */
  readonly forgotten?: readonly {
    readonly handler: string;
    /** Without views by then. */
    readonly collections: readonly string[];
  }[];
  /** Replaces what is parked under the same key. */
  readonly park?: readonly ParkedEvent[];
  /** None that is parked by the same update: that one would be gone. */
  readonly unpark?: readonly ParkedKey[];
  /** Replaces the thread's waiting; absent = none. */
  readonly waiting?: Waiting;
  /** The lease's new end, in ms since 1970; 0 releases it. */
  readonly leasedUntil: number;
}

/** What became of a cursor update; all but `committed` mean that nothing of it was written. */
export type CursorOutcome =
  | { readonly status: "committed" }
  /** Another reader has acquired the thread since, or the tenant is gone. */
  | { readonly status: "fenced" }
  /** A claimed collection belongs to another thread or handler. */
  | {
      readonly status: "owned";
      readonly collection: string;
      readonly thread: string;
      readonly handler: string;
    };

/** One page of parked events; `next` is set when there is more: pass it as `after`. */
export interface ParkedPage {
  readonly parked: readonly ParkedEvent[];
  readonly next?: ParkedKey;
}

/** Leases, cursors and dead letters of a tenant's threads. */
export interface IThreads {
  /** A thread and the head of its tenant's order; a thread that was never used is free and without cursors, at the
   * fence where its tenant's life began: no lease of an erased life fits it. At most two reads. */
  peek(tenant: string, thread: string): Promise<Peek>;

  /**
   * Leases a thread until a time (ms since 1970), if it is still as `seen` says; one of many contenders wins.
   *
   * Does not look at `seen.leasedUntil`: the caller decides whether the lease has ended. Resolves to undefined where another was faster.
   * @throws {TenantError} when the tenant is absent, importing or erased.
   */
  acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined>;

  /**
   * Moves cursors and writes views, claims and parked events, all in one transaction, if the lease's fence is still the thread's.
   *
   * Repeats itself safely after an unknown outcome.
   * @throws {Err} `invalid_argument` when a cursor would move back without being `rewound`; nothing was written.
   */
  commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome>;

  /** Parked events of a thread by handler, position and index, after a key, at most `limit` (1 to 1,000). */
  parked(
    tenant: string,
    thread: string,
    options: {
      readonly handler?: string;
      readonly after?: ParkedKey;
      readonly limit: number;
    },
  ): Promise<ParkedPage>;
}
