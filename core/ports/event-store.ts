import type { Address } from "../model/address.ts";
import type { Commit, PositionedCommit, Receipt, Snapshot, StoredEvent } from "../model/commit.ts";
import type { StoreError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { Signal } from "./platform.ts";
import type { ITenants } from "./tenants.ts";
import type { IThreads, Waiting } from "./threads.ts";
import type { IViews } from "./views.ts";

/** What a store did for an operation, in its own units (documents, items, rows, capacity units); shared writes are split. */
export interface Cost {
  readonly reads: number;
  readonly writes: number;
}

/** How much of an aggregate to load. */
export interface LoadOptions {
  /** Commits after this version only, without a snapshot; -1 = all of them. */
  readonly after?: number;
  /** Commits up to this version, included; without a snapshot. */
  readonly upTo?: number;
  /** At most this many commits, the oldest first; without it all of them. */
  readonly limit?: number;
}

/** An aggregate as it is stored; `commits` follow the snapshot without a hole, or begin at version 0. */
export interface LoadResult {
  readonly snapshot?: Snapshot;
  readonly commits: readonly Commit[];
  /** The tenant's life: a string that changes with every erasure, so that state cached before one is recognised; "" without a tenant. */
  readonly life: string;
  readonly cost?: Cost;
}

/** One aggregate's part of a pending commit: its events at its next version. */
export interface PendingWrite {
  readonly type: string;
  readonly id: string;
  /** The version that the events take: one above the last. */
  readonly version: number;
  /** None = the note of a redaction. */
  readonly events: readonly StoredEvent[];
  /** Bytes of JSON of the events and the snapshot. */
  readonly bytes: number;
  /** The state after the events; outside the atomic set, written forward only, left out when too large for the store. */
  readonly snapshot?: {
    readonly schema: number;
    readonly state: JsonObject;
    /** Clients read it: it is kept as native fields where clients can (Firestore). */
    readonly isPublished?: true;
  };
}

/** An aggregate that a command asked to verify: it must still be at this version (-1 = without commits). */
export interface Verified {
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** What one command writes: atomic as a whole. Frozen; a resend passes the same object again. */
export interface PendingCommit {
  readonly commitId: string;
  /** 1 to 16 aggregates, each once. */
  readonly writes: readonly PendingWrite[];
  /** 0 to 16 aggregates, none of them among `writes`. */
  readonly verified: readonly Verified[];
  readonly receipt?: Receipt;
  /** The tenant's life in which the states were loaded that this commit is based on; absent if it is based on none. */
  readonly life?: string;
  readonly command: string;
  readonly actor: { readonly id: string; readonly name: string };
  readonly at: number;
  readonly correlationId?: string;
  readonly causationId?: string;
}

/** What became of one pending commit; all but `committed` mean that nothing of it was written. */
export type CommitOutcome =
  /** `positions` follow `writes`. They and the tenant's life are absent where the store would have to read to learn them. */
  | {
      readonly status: "committed";
      readonly life?: string;
      readonly positions?: readonly number[];
      readonly cost?: Cost;
    }
  /** The aggregate is at version `actual` instead. */
  | {
      readonly status: "conflict";
      readonly type: string;
      readonly id: string;
      readonly actual: number;
    }
  /** The commandId was used before, by a commit with another commitId. */
  | { readonly status: "repeated"; readonly receipt: Receipt }
  /** The tenant was erased and opened again since `PendingCommit.life`: all cached state of it is invalid. */
  | { readonly status: "reborn" }
  /** Surely nothing was written (`outcome: "none"`), or it is not known (`outcome: "unknown"`). */
  | { readonly status: "failed"; readonly error: StoreError };

/** One page of a tenant's order. */
export interface ReadResult {
  readonly commits: readonly PositionedCommit[];
  /** Where to continue: the last position that is decided; at least `after`, and beyond the last commit if positions are unused. */
  readonly next: number;
  /** Set when the page ends before a place whose commit may still appear. */
  readonly waiting?: Waiting;
}

/** A tenant's log of commits, by aggregate and in order. */
export interface ILog {
  /**
   * Loads one aggregate: its snapshot, if there is one, and every commit after it, oldest first.
   *
   * Strongly consistent with every acknowledged commit; paged internally, never cut short except by `limit`. With `after` or `upTo`, no
   * snapshot is used. An unknown aggregate or tenant gives no commits. Cost: one read where a snapshot is current.
   */
  load(address: Address, options?: LoadOptions): Promise<LoadResult>;

  /**
   * Appends pending commits, each atomic (all its writes, its receipt, its verified versions) and independent of its neighbours.
   *
   * No two members touch the same aggregate or commandId, except by verifying only. Outcomes follow the order of `pending`. A resend
   * after an unknown outcome finds its own `commitId` and reports `committed`, so it never doubles. The positions of one pending
   * commit increase with its writes. Cost: about one write a commit, plus one for the whole call.
   * @throws {TenantError} when the tenant is not open; nothing was written. @throws {StoreError} for the call as a whole.
   */
  commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]>;

  /** The receipt of a commandId, if its command was carried out; kept at least 7 days. Strongly consistent. */
  receipt(tenant: string, commandId: string): Promise<Receipt | undefined>;

  /**
   * Reads a tenant's commits after a position (0 = from the start) in order, at most `limit` (1 to 1,000).
   *
   * Every reader sees the same order; never passes a place whose commit may still appear. `waiting` is what an earlier read of the same
   * place returned, so that short-lived readers add up their patience.
   */
  read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult>;

  /** The position of a commit; undefined if there is none. At most one read. */
  positionOf(address: Address, version: number): Promise<number | undefined>;

  /**
   * Rewrites the payloads of all of an aggregate's events, keeping names, versions, positions and commitIds; drops its snapshot and
   * marks its commits with `redactedAt` (ms). The redactor must be pure: it may be called twice. Repeatable: a crash half-way is finished
   * by calling again. Returns the number of commits.
   */
  redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number>;

  /** Calls `ring` soon after the tenant may have news, until the signal aborts; a hint only, rings may be spurious or missing. */
  watch?(tenant: string, ring: () => void, signal: Signal): void;

  /** Resolves when commands that are ready in this turn of the event loop have joined; awaited once before a group is taken. */
  gather?(): Promise<void>;
}

/**
 * Where Evenant keeps everything: implemented by an adapter, held to `test/contract`.
 *
 * Every method addresses one tenant and never touches another. Arguments come checked from core; what is returned is frozen JSON.
 * Every call ends by the adapter's own deadline, with a `StoreError` if it must.
 */
export interface IEventStore extends ILog, IThreads, ITenants {
  /** The views of one collection of a tenant. */
  views(tenant: string, collection: string): IViews;

  /** Releases what the store holds (files, timers); repeatable. */
  close(): Promise<void>;
}
