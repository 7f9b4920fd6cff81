import { type Address, Err, type PositionedCommit, type ReadResult } from "../../core/index.ts";
import type { Database } from "./database.ts";
import { positionedIn, textIn } from "./documents.ts";
import { eventKey, firstOf, kindPath, pathOf } from "./keys.ts";
import type { LogState } from "./log-document.ts";
import { type Logs, PAGE } from "./logs.ts";

/** How many commits are fetched in one round trip, and after how many bytes of them a page of the order ends early. */
const FETCHED = 250;
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads a tenant's order: refs from the log and its pages, then the commits that they name. */
export class Order {
  readonly #database: Database;
  readonly #logs: Logs;

  constructor(database: Database, logs: Logs) {
    this.#database = database;
    this.#logs = logs;
  }

  /** Commits after a position. Cost: one read each, one for each page of refs that is not in memory, and one where the order is not fresh. */
  async read(tenant: string, after: number, limit: number): Promise<ReadResult> {
    const nothing: ReadResult = Object.freeze({ commits: Object.freeze([]), next: after });
    const known = this.#logs.fresh(tenant);
    const state = known !== undefined && headOf(known) > after ? known : (await this.#logs.fetch(tenant)).state;
    if (state === undefined || headOf(state) <= after) return nothing;
    const commits = await this.commits(tenant, state, after, limit);
    if (commits !== undefined) return { commits, next: after + commits.length };
    // The tenant was erased, and perhaps opened again, since its order was read.
    this.#logs.forget(tenant);
    const { state: later } = await this.#logs.fetch(tenant);
    if (later === undefined || later.life !== state.life) return nothing;
    throw new Err("integrity", `a commit of tenant ${tenant} after position ${after} is missing: restore it from a backup`);
  }

  /** The commits of an order that was read, after a position; undefined where one of them is gone. */
  async commits(tenant: string, state: LogState, after: number, limit: number): Promise<readonly PositionedCommit[] | undefined> {
    const refs = await this.#refs(tenant, state, after, limit);
    if (refs === undefined) return undefined;
    const commits: PositionedCommit[] = [];
    let bytes = 0;
    for (let start = 0; start < refs.length && bytes < MOST_BYTES; start += FETCHED) {
      const paths = refs.slice(start, start + FETCHED).map((ref) => pathOf(tenant, "events", ref));
      for (const document of await this.#database.get(paths)) {
        if (!document.exists) return undefined;
        bytes += textIn(document, "data").length;
        commits.push(positionedIn(tenant, document, after + commits.length + 1));
      }
    }
    return Object.freeze(commits);
  }

  /** The position of a commit: looked up in the open log, then among the pages. */
  async positionOf({ tenant, type, id }: Address, version: number): Promise<number | undefined> {
    const ref = eventKey(type, id, version);
    const { state } = await this.#logs.fetch(tenant);
    if (state === undefined) return undefined;
    const place = state.refs.indexOf(ref);
    if (place >= 0) return state.base + place + 1;
    if (state.base === 0) return undefined;
    const [document] = await this.#database.holding(kindPath(tenant, "log"), "page", ref);
    const page = document?.data()?.page as readonly string[] | undefined;
    return document === undefined || page === undefined ? undefined : firstOf(document.id) + page.indexOf(ref);
  }

  /** The refs after a position, at most `limit`; fewer where one more page would be read for less than a page's worth. */
  async #refs(tenant: string, state: LogState, after: number, limit: number): Promise<readonly string[] | undefined> {
    const end = Math.min(headOf(state), after + limit);
    const firsts: number[] = [];
    for (let first = after - (after % PAGE) + 1; first <= Math.min(end, state.base); first += PAGE) firsts.push(first);
    const last = firsts.at(-1);
    // So that reading n commits never takes more than n/64 pages, rounded up: the next request begins at the page.
    const isPoor = last !== undefined && firsts.length > 1 && Math.ceil((end - after) / PAGE) < firsts.length;
    const isCut = isPoor && !this.#logs.hasPage(tenant, state.life, last);
    if (isCut) firsts.pop();
    const upTo = isCut ? (last as number) - 1 : end;
    const refs: string[] = [];
    const pages = await this.#logs.pages(tenant, state.life, firsts);
    if (pages === undefined) return undefined;
    for (const [index, page] of pages.entries()) {
      const before = (firsts[index] as number) - 1;
      refs.push(...page.slice(Math.max(0, after - before), upTo - before));
    }
    refs.push(...state.refs.slice(Math.max(0, after - state.base), Math.max(0, upTo - state.base)));
    return refs;
  }
}

/** The position of the last commit. */
export function headOf(state: LogState): number {
  return state.base + state.refs.length;
}
