import type { Commit } from "../model/commit.ts";
import type { TenantStatus } from "../model/errors.ts";
import type { ParkedEvent } from "./threads.ts";

/** A tenant as the registry knows it. */
export interface TenantEntry {
  readonly tenant: string;
  readonly status: TenantStatus;
}

/** One page of the registry; `next` is set when there is more: pass it as `after`. */
export interface TenantPage {
  readonly tenants: readonly TenantEntry[];
  readonly next?: string;
}

/** How long after its erasure a tenant's name cannot be opened, in ms: longer than any cached aggregate lives. */
export const ERASED_NAME_REST = 60 * 60 * 1000;

/**
 * One line of an exported tenant, in this order: header, commits, threads, end.
 *
 * Positions in an export are dense, from 1, whatever the store's own are. Snapshots and views are left out: they are derived, and a
 * Projection begins anew after an import.
 */
export type ExportRecord =
  | { readonly kind: "tenant"; readonly format: 1; readonly tenant: string }
  | {
      readonly kind: "commit";
      readonly position: number;
      readonly commit: Omit<Commit, "tenant">;
    }
  | {
      readonly kind: "thread";
      readonly thread: string;
      /** Cursors of the handlers that are no Projections: the position up to which each is finished. */
      readonly cursors: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: "parked";
      readonly thread: string;
      readonly parked: ParkedEvent;
    }
  | { readonly kind: "end"; readonly commits: number };

/** Opens, suspends, exports, imports and erases tenants. */
export interface ITenants {
  /**
   * Opens a tenant: a new one, a suspended one, or one that was erased an hour ago or earlier; an open one stays as it is.
   * @throws {TenantError} when it is importing, or erased less than an hour ago.
   */
  open(tenant: string): Promise<void>;

  /** The tenant's status; `absent` where the registry does not know it. */
  status(tenant: string): Promise<TenantStatus>;

  /** Known tenants after a name, ordered by name, at most `limit` (1 to 1,000), erased ones included. */
  tenants(options: { readonly after?: string; readonly limit: number }): Promise<TenantPage>;

  /** Refuses further commits, until `open`; readers go on. Repeatable. @throws {TenantError} unless it is open or suspended. */
  suspend(tenant: string): Promise<void>;

  /**
   * The tenant's commits up to its head at the call, its threads and parked events, one record at a time.
   * @throws {TenantError} unless it is open or suspended.
   */
  export(tenant: string): AsyncIterable<ExportRecord>;

  /**
   * Fills a tenant that is absent or erased (or whose import was interrupted: then from the start) and opens it at the end.
   *
   * The tenant takes the name given here, whatever the export says. Until the end nobody can read or write it.
   * @throws {TenantError} when it is open or suspended. @throws {ValidationError} for a record out of order or an export without its end.
   */
  import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void>;

  /**
   * Removes everything of a tenant but its name, first closing its log, so that no late write, cache or lease brings it back.
   * Repeatable, and finishes an erasure that was interrupted. @throws {TenantError} when it is absent.
   */
  erase(tenant: string): Promise<void>;
}
