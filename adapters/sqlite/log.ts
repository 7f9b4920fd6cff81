import type { Address, JsonObject, LoadOptions, ReadResult, Snapshot, StoredEvent } from "../../core/index.ts";
import { redacted } from "../../core/store-kit.ts";
import type { Client } from "./client.ts";
import type { Registry, TenantRow } from "./registry.ts";
import { type CommitRow, commitOf, encodeCommit, positionedOf, type SnapshotRow, snapshotOf } from "./rows.ts";

/** A part of an aggregate's commits, read in one go. */
export interface LoadedPage {
  readonly snapshot: Snapshot | undefined;
  readonly commits: readonly ReturnType<typeof commitOf>[];
  /** The tenant's life; "" without a tenant. */
  readonly life: string;
  /** Whether commits may follow. */
  readonly hasMore: boolean;
}

/** Reads commits, by aggregate and in order. Its methods run inside a transaction. */
export class Log {
  readonly #registry: Registry;
  readonly #aggregate;
  readonly #byVersion;
  readonly #byPosition;
  readonly #position;
  readonly #rewrite;
  readonly #dropSnapshot;

  constructor(client: Client, registry: Registry) {
    this.#registry = registry;
    this.#aggregate = client.query<SnapshotRow & { readonly no: number; readonly version: number }>(
      "SELECT no, version, snapshot_version, snapshot_schema, snapshot FROM aggregates WHERE tenant = ? AND type = ? AND id = ?",
    );
    this.#byVersion = client.query<{ readonly version: number; readonly position: number; readonly data: string }>(
      "SELECT version, position, data FROM commits WHERE aggregate = ? AND version > ? AND version <= ? ORDER BY version LIMIT ?",
    );
    this.#byPosition = client.query<CommitRow>(
      `SELECT aggregates.type, aggregates.id, commits.version, commits.position, commits.data
      FROM commits JOIN aggregates ON aggregates.no = commits.aggregate
      WHERE commits.tenant = ? AND commits.position > ? AND commits.position <= ? ORDER BY commits.position`,
    );
    this.#position = client.query<{ readonly position: number }>(
      "SELECT position FROM commits WHERE aggregate = ? AND version = ?",
    );
    this.#rewrite = client.query("UPDATE commits SET data = ? WHERE tenant = ? AND position = ?");
    this.#dropSnapshot = client.query(
      `UPDATE aggregates SET snapshot_version = NULL, snapshot_schema = NULL, snapshot = NULL WHERE tenant = ? AND type = ? AND id = ?`,
    );
  }

  /** An aggregate's snapshot and commits, or the first `most` of them. */
  load({ tenant, type, id }: Address, options: LoadOptions, most: number): LoadedPage {
    const row = this.#registry.readable(tenant);
    const aggregate = row && this.#aggregate.get(row.no, type, id);
    const life = row === undefined ? "" : String(row.life);
    if (aggregate === undefined) return { snapshot: undefined, commits: [], life, hasMore: false };
    const snapshot = options.after === undefined && options.upTo === undefined ? snapshotOf(aggregate) : undefined;
    const after = snapshot?.version ?? options.after ?? -1;
    const upTo = Math.min(options.upTo ?? aggregate.version, aggregate.version);
    if (after >= upTo) return { snapshot, commits: [], life, hasMore: false };
    const rows = this.#byVersion.all(aggregate.no, after, upTo, most);
    const commits = rows.map(({ version, data }) => commitOf(tenant, { type, id, version, data }));
    const last = commits.at(-1)?.version ?? after;
    return { snapshot, commits, life, hasMore: rows.length === most && last < upTo };
  }

  /** A page of a tenant's order; nothing is ever waited for, since positions are given in the order of the transactions. */
  read(tenant: string, after: number, limit: number): ReadResult {
    const row = this.#registry.readable(tenant);
    return row === undefined ? { commits: [], next: after } : this.page(row, after, Math.min(row.head, after + limit));
  }

  /** The commits after a position, up to another. */
  page({ no, name }: TenantRow, after: number, upTo: number): ReadResult {
    const commits = after >= upTo ? [] : this.#byPosition.all(no, after, upTo).map((commit) => positionedOf(name, commit));
    return { commits: Object.freeze(commits), next: commits.at(-1)?.position ?? after };
  }

  positionOf({ tenant, type, id }: Address, version: number): number | undefined {
    const row = this.#registry.readable(tenant);
    const aggregate = row && this.#aggregate.get(row.no, type, id);
    return aggregate && this.#position.get(aggregate.no, version)?.position;
  }

  /** Rewrites the events of the commits after a version, at most `most` of them, and drops the snapshot. */
  redact({ tenant, type, id }: Address, after: number, most: number, redact: Redaction): RedactedPage {
    const row = this.#registry.readable(tenant);
    const aggregate = row && this.#aggregate.get(row.no, type, id);
    if (row === undefined || aggregate === undefined) return { count: 0 };
    const commits = this.#byVersion.all(aggregate.no, after, Number.MAX_SAFE_INTEGER, most);
    // All are computed before any is written: the redactor is a stranger's and may throw.
    const texts = commits.map(({ version, data }) =>
      encodeCommit(redacted(commitOf(tenant, { type, id, version, data }), redact.redactor, redact.at)),
    );
    for (const [index, { position }] of commits.entries()) this.#rewrite.run(texts[index] ?? "", row.no, position);
    this.#dropSnapshot.run(row.no, type, id);
    const last = commits.at(-1);
    return { count: commits.length, ...(last && { last: last.version }) };
  }
}

/** How payloads are rewritten, and when, in ms since 1970. */
export interface Redaction {
  readonly redactor: (event: StoredEvent) => JsonObject;
  readonly at: number;
}

/** How many commits were rewritten, and the last of them; without one there are no more. */
export interface RedactedPage {
  readonly count: number;
  readonly last?: number;
}
