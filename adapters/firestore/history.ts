import type { Address, Commit, JsonObject, LoadOptions, LoadResult, Snapshot, StoredEvent } from "../../core/index.ts";
import { redacted } from "../../core/store-kit.ts";
import type { DocumentSnapshot, Fields, Precondition } from "./client.ts";
import { type Database, pause, type Write } from "./database.ts";
import { commitIn, eventFields, snapshotIn } from "./documents.ts";
import { storeError } from "./failures.ts";
import { eventKey, eventRange, kindPath, pathOf, snapshotPath } from "./keys.ts";
import type { Logs } from "./logs.ts";

/** How many commits of an aggregate come in one round trip. */
const PAGE = 300;
/** The most documents and bytes that one batch rewrites. */
const REWRITTEN = 100;
const REWRITTEN_BYTES = 3_000_000;

interface Found {
  readonly snapshot?: Snapshot;
  readonly commits: readonly Commit[];
  readonly reads: number;
}

/** The commits of one aggregate, and its snapshot. */
export class History {
  readonly #database: Database;
  readonly #logs: Logs;

  constructor(database: Database, logs: Logs) {
    this.#database = database;
    this.#logs = logs;
  }

  /**
   * The snapshot, with a look at the tenant's log where that is some seconds old, then the commits: two round trips.
   *
   * What is loaded is never of an earlier life than it says: the life is read first, or at the same instant.
   */
  async load(address: Address, options: LoadOptions = {}): Promise<LoadResult> {
    const { tenant, type, id } = address;
    const paths = options.after === undefined && options.upTo === undefined ? [snapshotPath(tenant, type, id)] : [];
    const recent = this.#logs.recent(tenant);
    const looked = recent === undefined ? await this.#logs.fetch(tenant, paths) : undefined;
    const state = recent ?? looked?.state;
    const documents = looked?.isDirect ? looked.others : state === undefined ? [] : await this.#database.get(paths);
    const reads = (looked?.reads ?? 0) + (looked?.isDirect ? 0 : documents.length);
    if (state === undefined) return { commits: Object.freeze([]), life: "", cost: { reads, writes: 0 } };
    const life = String(state.life);
    const snapshot = snapshotIn(documents[0]);
    const found =
      snapshot === undefined
        ? await this.#commits(address, (options.after ?? -1) + 1, options)
        : await this.#commitsFrom(address, snapshot, options);
    const cost = { reads: reads + found.reads, writes: 0 };
    return { ...(found.snapshot && { snapshot: found.snapshot }), commits: found.commits, life, cost };
  }

  /**
   * Rewrites an aggregate's payloads, having computed them all first, and drops its snapshot, in batches.
   *
   * Each commit must still be as it was read: what is erased meanwhile stays erased, and what another redaction rewrote is read again.
   */
  async redact(address: Address, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): Promise<number> {
    const deadline = this.#database.deadline();
    for (let tries = 0; ; tries++) {
      const { state } = await this.#logs.fetch(address.tenant);
      if (state === undefined) return 0;
      const documents: DocumentSnapshot[] = [];
      await this.#commits(address, 0, {}, documents);
      const refusal = await this.#rewrite(address, documents, redactor, redactedAt);
      if (refusal === undefined) return documents.length;
      if (!(await pause(tries, deadline))) throw storeError("to redact what others rewrite", refusal, "none");
    }
  }

  /** Rewrites the commits in these documents; returns why one was refused. */
  async #rewrite(
    { tenant, type, id }: Address,
    documents: readonly DocumentSnapshot[],
    redactor: (event: StoredEvent) => JsonObject,
    redactedAt: number,
  ): Promise<unknown> {
    const rewritten = documents.map((document): [Fields, Precondition] => {
      const { tenant: _, ...commit } = redacted(commitIn(tenant, document), redactor, redactedAt);
      return [eventFields(commit), document.updateTime ? { lastUpdateTime: document.updateTime } : { exists: true }];
    });
    const drop: Write = { kind: "delete", path: snapshotPath(tenant, type, id) };
    let writes: Write[] = [drop];
    let bytes = 0;
    for (const [version, [fields, precondition]] of rewritten.entries()) {
      writes.push({ kind: "update", path: pathOf(tenant, "events", eventKey(type, id, version)), fields, if: precondition });
      bytes += Buffer.byteLength(String(fields.data));
      if (writes.length < REWRITTEN && bytes < REWRITTEN_BYTES && version < rewritten.length - 1) continue;
      const written = await this.#database.write(writes);
      if (written.status === "refused") return written.cause;
      [writes, bytes] = [[drop], 0];
    }
    return undefined;
  }

  /** Reads the snapshot's own commit along with those after it: the same price, and a snapshot ahead of a restored log is found out. */
  async #commitsFrom(address: Address, snapshot: Snapshot, options: LoadOptions): Promise<Found> {
    const { limit } = options;
    const more = limit === undefined ? {} : { limit: limit + 1 };
    const { commits, reads } = await this.#commits(address, snapshot.version, { ...options, ...more });
    if (commits[0]?.version === snapshot.version) return { snapshot, commits: Object.freeze(commits.slice(1)), reads };
    const whole = await this.#commits(address, 0, options);
    return { commits: whole.commits, reads: reads + whole.reads };
  }

  async #commits(
    { tenant, type, id }: Address,
    first: number,
    { upTo = Number.MAX_SAFE_INTEGER - 1, limit = Infinity }: LoadOptions,
    documents: DocumentSnapshot[] = [],
  ): Promise<Found> {
    const commits: Commit[] = [];
    let reads = 0;
    const most = Math.min(limit, upTo - first + 1);
    while (commits.length < most) {
      const wanted = Math.min(PAGE, most - commits.length);
      const range = eventRange(type, id, first + commits.length);
      const page = await this.#database.list(kindPath(tenant, "events"), { ...range, limit: wanted });
      for (const document of page) commits.push(commitIn(tenant, document));
      documents.push(...page);
      reads += Math.max(1, page.length);
      if (page.length < wanted) break;
    }
    return { commits: Object.freeze(commits), reads };
  }
}
