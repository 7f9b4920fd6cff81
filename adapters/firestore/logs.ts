import type { DocumentSnapshot } from "./client.ts";
import type { Database, Write } from "./database.ts";
import { closedKey, openKey, pageKey, pathOf } from "./keys.ts";
import { type LogState, stateIn } from "./log-document.ts";
import { Recent } from "./recent.ts";
import type { Registry } from "./registry.ts";

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
/** How long a tenant that was seen counts as there, and in the same life, in ms. */
const RECENT = 5_000;
/** How many tenants' orders, and how many pages of old refs, a process keeps in mind. */
const TENANTS_KEPT = 2_000;
const PAGES_KEPT = 512;
/** How many tenants' lives a process keeps in mind. */
const LIVES_KEPT = 100_000;
/** How often to look again for a log that others open or close just now. */
const TRIES = 5;

/** What one look at a tenant's order found. */
export interface Fetched {
  readonly state: LogState | undefined;
  readonly others: readonly DocumentSnapshot[];
  readonly reads: number;
  /** Whether the order and the other documents were read at the same instant. */
  readonly isDirect: boolean;
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
  readonly #registry: Registry;
  readonly #random: () => number;
  readonly #known = new Recent<Known>(TENANTS_KEPT);
  readonly #pages = new Recent<readonly string[]>(PAGES_KEPT);
  /** How many times this process committed to each tenant. */
  readonly #noted = new Recent<number>(TENANTS_KEPT);
  readonly #background = new Map<string, Promise<void>>();

  /** The life in which each tenant was last seen. */
  readonly #lives = new Recent<number>(LIVES_KEPT);

  constructor(database: Database, registry: Registry, random: () => number) {
    this.#database = database;
    this.#registry = registry;
    this.#random = random;
  }

  /** The life that a tenant is in, as far as this process knows: nearly all are in their first. */
  lifeOf(tenant: string): number {
    return this.#lives.get(tenant) ?? 1;
  }

  /** Reads a tenant's order, and other documents in the same round trip; without a state where the tenant cannot be read. */
  async fetch(tenant: string, others: readonly string[] = []): Promise<Fetched> {
    const noted = this.#noted.get(tenant) ?? 0;
    const last = this.#known.get(tenant)?.state;
    const [first, ...rest] = await this.#database.get([
      this.#pathOf(tenant, last?.isOpen ?? true, this.lifeOf(tenant)),
      ...others,
    ]);
    const direct = 1 + others.length;
    let reads = direct;
    let state = stateIn(first, last?.isOpen ?? true);
    for (let tries = 0; state === undefined && tries < TRIES; tries++) {
      // Suspended or opened meanwhile, or in another life: the registry knows.
      const entry = await this.#registry.entry(tenant);
      reads++;
      if (entry?.status !== "open" && entry?.status !== "suspended") break;
      const isOpen = entry.status === "open";
      const [document] = await this.#database.get([this.#pathOf(tenant, isOpen, entry.life)]);
      reads++;
      state = stateIn(document, isOpen);
    }
    this.#learn(tenant, state, noted);
    return { state, others: rest, reads, isDirect: reads === direct };
  }

  /** The order as it was read a moment ago, if this process committed nothing since. */
  fresh(tenant: string): LogState | undefined {
    const known = this.#known.get(tenant);
    const isFresh = known !== undefined && performance.now() - known.seenAt < FRESH;
    return isFresh && known.noted === (this.#noted.get(tenant) ?? 0) ? known.state : undefined;
  }

  /** The order as it was seen some seconds ago at most; undefined where that was longer ago, or the tenant could not be read. */
  recent(tenant: string): LogState | undefined {
    const known = this.#known.get(tenant);
    return known !== undefined && performance.now() - known.seenAt < RECENT ? known.state : undefined;
  }

  /** The pages that begin at these positions; undefined where one is gone. Pages never change, so each is read once. */
  async pages(tenant: string, life: number, firsts: readonly number[]): Promise<readonly (readonly string[])[] | undefined> {
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
  hasPage(tenant: string, life: number, first: number): boolean {
    return this.#pages.get(`${tenant}/${life}/${first}`) !== undefined;
  }

  /** Notes that this process committed: what it knows of the order has grown old, and now and then it looks how full the log is. */
  noteCommits(tenant: string, count: number): void {
    this.#noted.set(tenant, (this.#noted.get(tenant) ?? 0) + 1);
    if (this.#random() * LOOK_EVERY < count) this.#inBackground(tenant, async () => void (await this.fetch(tenant)));
  }

  /** Moves refs to pages at once, for a log that may be too large for one more; false where there are none to move. */
  async relieve(tenant: string): Promise<boolean> {
    const { state } = await this.fetch(tenant);
    if (state?.isOpen !== true || state.refs.length < FULL) return false;
    // What `fetch` began, or a trim that was under way before it.
    await this.#background.get(`${tenant}/trim`);
    return true;
  }

  /** Forgets a tenant: its life has changed. */
  forget(tenant: string): void {
    this.#known.delete(tenant);
  }

  /** Resolves when nothing goes on in the background any more. */
  async settle(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background.values());
  }

  #pathOf(tenant: string, isOpen: boolean, life: number): string {
    return pathOf(tenant, "log", isOpen ? openKey(life) : closedKey(life));
  }

  #learn(tenant: string, state: LogState | undefined, noted: number): void {
    this.#known.set(tenant, { state, seenAt: performance.now(), noted });
    if (state === undefined) return;
    this.#lives.set(tenant, state.life);
    if (state.isOpen && state.refs.length >= FULL) {
      this.#inBackground(`${tenant}/trim`, () => this.#trim(tenant, state));
    }
  }

  /**
   * Moves the oldest refs to pages, in one blind batch: of several who try the first creates the page and the others fail.
   *
   * Never in a transaction, which would hold up all writers.
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
    const fields = { refs: arrayRemove(...moved), base: increment(moved.length) };
    writes.push({ kind: "update", path: this.#pathOf(tenant, true, life), fields });
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
