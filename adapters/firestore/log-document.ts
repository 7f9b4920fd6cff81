import { Err } from "../../core/index.ts";
import type { DocumentSnapshot } from "./client.ts";

/** The newest part of a tenant's order. The commit of `refs[i]` has the position `base + i + 1`; those up to `base` are in pages. */
export interface LogState {
  /** The life of the tenant, counted from 1. */
  readonly life: number;
  readonly isOpen: boolean;
  readonly base: number;
  readonly refs: readonly string[];
  /** Where the fences of its threads begin. */
  readonly firstFence: number;
}

/** The fields of a new life's log. */
export function logFields(life: number, firstFence: number, base = 0, refs: readonly string[] = []): Record<string, unknown> {
  return { life, firstFence, base, count: base + refs.length, refs: [...refs] };
}

/** The order that a log's document keeps, if there is one. @throws {Err} `integrity` where it does not count what it holds. */
export function stateIn(document: DocumentSnapshot | undefined, isOpen: boolean): LogState | undefined {
  const fields = document?.data() as (Omit<LogState, "isOpen"> & { readonly count: number }) | undefined;
  if (fields === undefined) return undefined;
  const { life, firstFence, base, count, refs } = fields;
  if (base + refs.length !== count) {
    throw new Err("integrity", `a log counts ${count} commits and holds ${base + refs.length}: restore it from a backup`);
  }
  return { life, isOpen, base, refs, firstFence };
}
