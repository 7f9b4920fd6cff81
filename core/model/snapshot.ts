/** When an aggregate's state is kept as a snapshot; `schema` (default 0) numbers the shape of the state: raise it to drop older snapshots. */
export type SnapshotPolicy = boolean | { readonly every?: number; readonly schema?: number };

/** A snapshot policy with its defaults filled in. */
export interface SnapshotPlan {
  /** Commits from one snapshot to the next; 0 = never, and the state is not cached either. */
  readonly every: number;
  readonly schema: number;
}

/** Fills in a policy's defaults: every commit, schema 0. */
export function planOf(policy: SnapshotPolicy | undefined): SnapshotPlan {
  if (policy === false) return { every: 0, schema: 0 };
  if (policy === undefined || policy === true) return { every: 1, schema: 0 };
  return { every: policy.every ?? 1, schema: policy.schema ?? 0 };
}

/** Whether the commit with this version (counted from 0) gets a snapshot. */
export function isDue(plan: SnapshotPlan, version: number): boolean {
  return plan.every > 0 && (version + 1) % plan.every === 0;
}
