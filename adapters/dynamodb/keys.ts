import type { Address, ParkedKey } from "../../core/index.ts";

/** The primary key of an item; a type rather than an interface, so that it counts as an item. */
export type Key = {
  readonly pk: string;
  readonly sk: string;
};

/**
 * Every key of the table, spelled here and nowhere else.
 *
 * Tenants, types, threads, handlers and collections are names without `#`, ids come last, and each kind has its own letter: so no id,
 * however spelled, reaches another item. `T#<tenant>#` is what a tenant-bound policy compares (`dynamodb:LeadingKeys`).
 *
 *     R#                          <tenant>                         the registry: one item a tenant
 *     S#                          sweep                            where the last sweep over all tenants stopped
 *     T#<tenant>#L                open                             the open page of the order, and the tenant's status
 *                                 page#<first position>            a full page of it
 *     T#<tenant>#A#<type>#<id>    commit#<version>                 a commit, or a tombstone
 *                                 snapshot
 *     T#<tenant>#C#<commandId>    receipt
 *     T#<tenant>#H                <thread>                         lease and cursors
 *     T#<tenant>#O                <collection>                     who owns it
 *     T#<tenant>#P#<thread>       <handler>#<position>#<index>     a parked event
 *     T#<tenant>#V#<collection>   <id>                             a view
 */
export const REGISTRY = "R#";
/** No tenant's: the place of the sweep. */
export const SWEEP_KEY: Key = { pk: "S#", sk: "sweep" };

const LAST_NUMBER = Number.MAX_SAFE_INTEGER;

export function registryKey(tenant: string): Key {
  return { pk: REGISTRY, sk: tenant };
}

/** The item that says whether the tenant is open, holds the newest refs, and counts the tickets. */
export function openPageKey(tenant: string): Key {
  return { pk: `T#${tenant}#L`, sk: "open" };
}

/** A full page, by the position of its first ref. */
export function pageKey(tenant: string, first: number): Key {
  return { pk: `T#${tenant}#L`, sk: `page#${padded(first)}` };
}

/** The position of the first ref of a page, from its sort key. */
export function firstOfPage(sk: string): number {
  return Number(sk.slice("page#".length));
}

/** The partition of an aggregate: its commits and its snapshot. */
export function aggregatePartition({ tenant, type, id }: Address): string {
  return `T#${tenant}#A#${type}#${id}`;
}

export function commitKey(address: Address, version: number): Key {
  return { pk: aggregatePartition(address), sk: commitSort(version) };
}

/** The sort key of a version; -1 gives one before version 0. */
export function commitSort(version: number): string {
  return version < 0 ? "commit#" : `commit#${padded(version)}`;
}

/** A sort key behind every commit's and before the snapshot's. */
export const LAST_COMMIT_SORT = commitSort(LAST_NUMBER);

/** The version in a commit's sort key; undefined for another item. */
export function versionOf(sk: string): number | undefined {
  return sk.startsWith("commit#") ? Number(sk.slice("commit#".length)) : undefined;
}

/** Sorts behind the commits, so that a query from the end begins with it. */
export function snapshotKey(address: Address): Key {
  return { pk: aggregatePartition(address), sk: "snapshot" };
}

export function receiptKey(tenant: string, commandId: string): Key {
  return { pk: `T#${tenant}#C#${commandId}`, sk: "receipt" };
}

export function threadsPartition(tenant: string): string {
  return `T#${tenant}#H`;
}

export function threadKey(tenant: string, thread: string): Key {
  return { pk: threadsPartition(tenant), sk: thread };
}

export function ownersPartition(tenant: string): string {
  return `T#${tenant}#O`;
}

export function ownerKey(tenant: string, collection: string): Key {
  return { pk: ownersPartition(tenant), sk: collection };
}

export function viewsPartition(tenant: string, collection: string): string {
  return `T#${tenant}#V#${collection}`;
}

export function viewKey(tenant: string, collection: string, id: string): Key {
  return { pk: viewsPartition(tenant, collection), sk: id };
}

export function parkedPartition(tenant: string, thread: string): string {
  return `T#${tenant}#P#${thread}`;
}

/** Sorts by handler, position and index, because `#` sorts before everything in a name. */
export function parkedKey(tenant: string, thread: string, { handler, position, index }: ParkedKey): Key {
  return { pk: parkedPartition(tenant, thread), sk: `${handler}#${padded(position)}#${padded(index)}` };
}

/** Before and behind all parked events of a handler. */
export function parkedRange(handler: string): { readonly from: string; readonly to: string } {
  return { from: `${handler}#`, to: `${handler}#:` };
}

/** A ticket's entry in the order: which commit stands at a position, if it came to be. */
export interface Ref {
  readonly commitId: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
}

/** Spells a ref; the id comes last, and nothing before it can hold a slash. */
export function refText({ commitId, version, type, id }: Ref): string {
  return `${commitId}/${version}/${type}/${id}`;
}

export function parseRef(text: string): Ref {
  const first = text.indexOf("/");
  const second = text.indexOf("/", first + 1);
  const third = text.indexOf("/", second + 1);
  return {
    commitId: text.slice(0, first),
    version: Number(text.slice(first + 1, second)),
    type: text.slice(second + 1, third),
    id: text.slice(third + 1),
  };
}

/** The tenant and the kind of item in a partition key; undefined for the registry and for what is not ours. */
export function parsePartition(pk: string): { readonly tenant: string; readonly kind: string } | undefined {
  const match = /^T#([^#]+)#([A-Z])(?:#|$)/.exec(pk);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { tenant: match[1], kind: match[2] };
}

/** A key as the text of a map's key. */
export function textOfKey({ pk, sk }: { readonly pk?: unknown; readonly sk?: unknown }): string {
  return `${String(pk)}\n${String(sk)}`;
}

/** Sixteen digits: as many as the largest safe integer has, so that texts sort as their numbers. */
function padded(value: number): string {
  return String(value).padStart(16, "0");
}
