import type { ParkedKey } from "../../core/index.ts";

/**
 * Where every document lies; the only file that spells a path.
 *
 *     tenants/{tenant}                               the registry's entry
 *     tenants/{tenant}/events/{type}.{id}.{version}  a commit
 *     tenants/{tenant}/snapshots/{type}/states/{id}  an aggregate's snapshot; nothing lies at `snapshots/{type}` itself
 *     tenants/{tenant}/receipts/{commandId}          a receipt
 *     tenants/{tenant}/log/open | closed             the newest refs: of a tenant that takes commits, or of a suspended one;
 *                                                    in a later life of its name open-2, closed-2 and so on
 *     tenants/{tenant}/log/{first position}          a page of 64 older refs
 *     tenants/{tenant}/log/life-… | work-…           marks of a life of the tenant, and of an import or erasure
 *     tenants/{tenant}/threads/{thread}              a thread: its lease and cursors
 *     tenants/{tenant}/parked/{thread},{handler},{position},{index}
 *     tenants/{tenant}/views/{collection}            the owner of a collection
 *     tenants/{tenant}/views/{collection}/items/{id} a view
 *
 * Names (tenant, type, thread, handler, collection) are `[A-Za-z0-9][A-Za-z0-9_-]*` and stand as they are. Ids may be any text: see
 * `idKey`. After it a dot is followed by 0, 1 or nothing; after the dots of this list come a letter or the key of an id.
 */
export const REGISTRY = "tenants";

/** The path of a tenant's entry in the registry. */
export function tenantPath(tenant: string): string {
  return `${REGISTRY}/${tenant}`;
}

/** A collection of a tenant. */
export type Kind = "events" | "snapshots" | "receipts" | "log" | "threads" | "parked" | "views";

/** The path of one of a tenant's collections. */
export function kindPath(tenant: string, kind: Kind): string {
  return `${REGISTRY}/${tenant}/${kind}`;
}

/** The path of a document in one of a tenant's collections; `key` comes from this file, or is a name. */
export function pathOf(tenant: string, kind: Kind, key: string): string {
  return `${REGISTRY}/${tenant}/${kind}/${key}`;
}

/** The path of the views of a collection. */
export function itemsPath(tenant: string, collection: string): string {
  return `${REGISTRY}/${tenant}/views/${collection}/items`;
}

/** The path of a view. */
export function viewPath(tenant: string, collection: string, id: string): string {
  return `${itemsPath(tenant, collection)}/${idKey(id)}`;
}

/** The key of a commit, which is also its ref in the log. */
export function eventKey(type: string, id: string, version: number): string {
  return `${aggregateKey(type, id)}.${ordered(version)}`;
}

/** The keys of an aggregate's commits from one version on: the first, and a bound above the last. */
export function eventRange(type: string, id: string, version: number): { readonly from: string; readonly before: string } {
  return { from: eventKey(type, id, version), before: `${aggregateKey(type, id)}.~` };
}

/** The path of the snapshots of a type: one collection a type, so that a rule can name those that clients may read. */
export function statesPath(tenant: string, type: string): string {
  return `${REGISTRY}/${tenant}/snapshots/${type}/states`;
}

/** The path of an aggregate's snapshot. */
export function snapshotPath(tenant: string, type: string, id: string): string {
  return `${statesPath(tenant, type)}/${idKey(id)}`;
}

/** The key of an aggregate, with which the keys of its commits begin. */
export function aggregateKey(type: string, id: string): string {
  return `${type}.${idKey(id)}`;
}

/** The key of a page of the log, by the position of its first ref. */
export function pageKey(first: number): string {
  return ordered(first);
}

/** The position of the first ref of the page with this key. */
export function firstOf(key: string): number {
  return Number(key.slice(1));
}

/** The key of the newest refs of a tenant that takes commits. Another life has another, so that nothing late reaches into it. */
export function openKey(life: number): string {
  return life === 1 ? "open" : `open-${life}`;
}

/** The key of the same, of a suspended tenant. */
export function closedKey(life: number): string {
  return life === 1 ? "closed" : `closed-${life}`;
}

/** The key of the mark of one life of a tenant. */
export function lifeKey(life: number): string {
  return `life-${life}`;
}

/** The key of the mark of one import or erasure. */
export function workKey(work: string): string {
  return `work-${work}`;
}

/** The key of a parked event. A comma sorts before every letter of a name, so keys sort by thread, handler, position and index. */
export function parkedKey(thread: string, { handler, position, index }: ParkedKey): string {
  return `${thread},${handler},${ordered(position)},${ordered(index)}`;
}

/** The keys of a thread's parked events, of one handler where it is given: the first, and a bound above the last. */
export function parkedRange(thread: string, handler?: string): { readonly from: string; readonly before: string } {
  const prefix = handler === undefined ? thread : `${thread},${handler}`;
  return { from: `${prefix},`, before: `${prefix}-` };
}

/**
 * An id as one segment of a path: `.` becomes `.0` and `/` becomes `.1`; one that Firestore reserves (`__…__`) ends with a dot more.
 *
 * Injective, and sorted as the ids are by code point (but for reserved ones); most ids stay as they are. At most 512 bytes.
 */
export function idKey(id: string): string {
  const key = id.replaceAll(/[./]/g, (letter) => (letter === "." ? ".0" : ".1"));
  return RESERVED.test(key) ? `${key}.` : key;
}

/** The id that a key stands for. */
export function idOf(key: string): string {
  return key.replaceAll(/\.([01]?)/g, (_, digit: string) => (digit === "0" ? "." : digit === "1" ? "/" : ""));
}

const RESERVED = /^__.*__$/s;

/** An integer from 0 so that texts sort as the numbers do: a letter for the number of digits, then the digits. */
function ordered(integer: number): string {
  const digits = String(integer);
  return String.fromCharCode(0x60 + digits.length) + digits;
}
