import { defaultPlatform, Err } from "../../core/index.ts";
import type { DocumentSnapshot } from "./client.ts";
import type { Database, Write } from "./database.ts";
import { lifeKey, pageKey, pathOf } from "./keys.ts";
import { Recent } from "./recent.ts";

/** How many refs a page holds. */
export const PAGE = 64;
/** From how many refs on the open log gives pages away: at least one page of the newest always stays in it. */
const FULL = 2 * PAGE;
/** How many pages one batch makes: with refs as long as they may be they still fit into it. */
const MOST_PAGES = 32;
/** How many of a process' commits pass, on average, between two looks at how full the log is. */
const LOOK_EVERY = 32;
/** How long an order that was read answers a reader's next request, in ms: a poll looks at it first anyway. */
const FRESH = 10_000;
/** How long a tenant that was seen counts as there, in ms. */
const SEEN = 60_000;
/** How many tenants' orders, and how many pages of old refs, a process keeps in mind. */
const TENANTS_KEPT = 2_000;
const PAGES_KEPT = 512;

/** The newest part of a tenant's order. The commit of `refs[i]` has the position `base + i + 1`; those up to `base` are in pages. */
export interface LogState {
  /** Marks one life of the tenant: another after an erasure. */
  readonly life: string;
  readonly isOpen: boolean;
  readonly base: number;
  readonly refs: readonly string[];
  /** Where the fences of its threads begin. */
  readonly firstFence: number;
}

interface Known {
  readonly state: LogState | undefined;
  readonly seenAt: number;
  /** How many commits of this process had been noted when the reading began. */
  readonly noted: number;
}

/** What this process knows of the tenants' orders: `log/open` is read here only, and its refs are moved to pages here only. */
export class Logs {
  readonly #database: Database;
  readonly #known = new Recent<Known>(TENANTS_KEPT);
  readonly #pages = new Recent<readonly string[]>(PAGES_KEPT);
  /** How many times this process committed to each tenant. */
  readonly #noted = new Recent<number>(TENANTS_KEPT);
  readonly #background = new Map<string, Promise<void>>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Reads a tenant's order, and other documents in the same round trip; without a state where the tenant cannot be read. */
  async fetch(
    tenant: string,
    others: readonly string[] = [],
  ): Promise<{ readonly state: LogState | undefined; readonly others: readonly DocumentSnapshot[]; readonly reads: number }> {
    // A suspended tenant's log lies elsewhere: whoever knows that looks there first.
    const last = this.#known.get(tenant)?.state;
    const noted = this.#noted.get(tenant) ?? 0;
    const places = last?.isOpen === false ? ["closed", "open"] : ["open", "closed"];
    const [first, ...rest] = await this.#database.get([pathOf(tenant, "log", places[0] as string), ...others]);
    let reads = 1 + others.length;
    let state = stateIn(first, places[0] === "open");
    if (state === undefined) {
      reads++;
      const [second] = await this.#database.get([pathOf(tenant, "log", places[1] as string)]);
      state = stateIn(second, places[1] === "open");
    }
    this.#learn(tenant, state, noted);
    return { state, others: rest, reads };
  }

  /** The order as it was read a moment ago, if this process committed nothing since. */
  fresh(tenant: string): LogState | undefined {
    const known = this.#known.get(tenant);
    const isFresh = known !== undefined && performance.now() - known.seenAt < FRESH;
    return isFresh && known.noted === (this.#noted.get(tenant) ?? 0) ? known.state : undefined;
  }

  /** Whether the tenant can be read: from memory where it was seen lately. */
  async isReadable(tenant: string): Promise<{ readonly isReadable: boolean; readonly reads: number }> {
    const known = this.#known.get(tenant);
    const isRecent = known !== undefined && performance.now() - known.seenAt < SEEN;
    if (isRecent && known.state !== undefined) return { isReadable: true, reads: 0 };
    const { state, reads } = await this.fetch(tenant);
    return { isReadable: state !== undefined, reads };
  }

  /** The pages that begin at these positions; undefined where one is gone. Pages never change, so each is read once. */
  async pages(tenant: string, life: string, firsts: readonly number[]): Promise<readonly (readonly string[])[] | undefined> {
    const keys = firsts.map((first) => `${tenant}/${life}/${first}`);
    const missing = firsts.filter((_, index) => this.#pages.get(keys[index] as string) === undefined);
    const found = new Map<number, readonly string[]>();
    const documents = await this.#database.get(missing.map((first) => pathOf(tenant, "log", pageKey(first))));
    for (const [index, first] of missing.entries()) {
      const page = documents[index]?.data()?.page as readonly string[] | undefined;
      if (page === undefined) return undefined;
      found.set(first, page);
      this.#pages.set(`${tenant}/${life}/${first}`, page);
    }
    return firsts.map((first, index) => found.get(first) ?? (this.#pages.get(keys[index] as string) as readonly string[]));
  }

  /** Whether a page is in memory. */
  hasPage(tenant: string, life: string, first: number): boolean {
    return this.#pages.get(`${tenant}/${life}/${first}`) !== undefined;
  }

  /** Notes that this process committed: what it knows of the order has grown old, and now and then it looks how full the log is. */
  noteCommits(tenant: string, count: number): void {
    this.#noted.set(tenant, (this.#noted.get(tenant) ?? 0) + 1);
    if (defaultPlatform.random() * LOOK_EVERY < count) this.#inBackground(tenant, async () => void (await this.fetch(tenant)));
  }

  /** Forgets a tenant: its life has changed. */
  forget(tenant: string): void {
    this.#known.delete(tenant);
  }

  /** Resolves when nothing goes on in the background any more. */
  async settle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background.values());
  }

  #learn(tenant: string, state: LogState | undefined, noted: number): void {
    this.#known.set(tenant, { state, seenAt: performance.now(), noted });
    if (state?.isOpen && state.refs.length >= FULL) {
      this.#inBackground(`${tenant}/trim`, () => this.#trim(tenant, state));
    }
  }

  /**
   * Moves the oldest refs to pages, in one blind batch: of several who try the first creates the page and the others fail.
   *
   * Never in a transaction, which would hold up all writers. The mark of the life keeps a late one away from the tenant's next life.
   */
  async #trim(tenant: string, { life, base, refs }: LogState): Promise<void> {
    const { increment, arrayRemove } = this.#database.values;
    const count = Math.min(MOST_PAGES, Math.floor(refs.length / PAGE) - 1);
    const moved = refs.slice(0, count * PAGE);
    const writes: Write[] = [];
    for (let page = 0; page < count; page++) {
      const fields = { page: moved.slice(page * PAGE, (page + 1) * PAGE) };
      writes.push({ kind: "create", path: pathOf(tenant, "log", pageKey(base + page * PAGE + 1)), fields });
    }
    writes.push(
      {
        kind: "update",
        path: pathOf(tenant, "log", "open"),
        fields: { refs: arrayRemove(...moved), base: increment(moved.length) },
      },
      { kind: "update", path: pathOf(tenant, "log", lifeKey(life)), fields: { pages: increment(count) } },
    );
    await this.#database.write(writes);
  }

  /** Does something of no urgency, once at a time; its failure is another's to mend, who looks later. */
  #inBackground(key: string, task: () => Promise<void>): void {
    if (this.#background.has(key)) return;
    const running = task()
      .catch(() => {})
      .finally(() => this.#background.delete(key));
    this.#background.set(key, running);
  }
}

/** The fields of a new life's log. */
export function logFields(life: string, firstFence: number, base = 0, refs: readonly string[] = []): Record<string, unknown> {
  return { life, firstFence, base, count: base + refs.length, refs: [...refs] };
}

function stateIn(document: DocumentSnapshot | undefined, isOpen: boolean): LogState | undefined {
  const fields = document?.data() as (Omit<LogState, "isOpen"> & { readonly count: number }) | undefined;
  if (fields === undefined) return undefined;
  const { life, firstFence, base, count, refs } = fields;
  if (base + refs.length !== count) {
    throw new Err("integrity", `a log counts ${count} commits and holds ${base + refs.length}: restore it from a backup`);
  }
  return { life, isOpen, base, refs, firstFence };
}
