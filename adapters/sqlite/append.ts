import {
  type Commit,
  type CommitOutcome,
  type PendingCommit,
  type PendingWrite,
  type Receipt,
  ValidationError,
} from "../../core/index.ts";
import type { Client } from "./client.ts";
import type { Registry, TenantRow } from "./registry.ts";
import { encodeCommit, encodePending, factsOf } from "./rows.ts";

interface AggregateRow {
  readonly no: number;
  readonly version: number;
}

interface StoredRow {
  readonly position: number;
  readonly data: string;
}

/** Appends commits to their aggregates and to the tenant's order. Its methods run inside a transaction that writes. */
export class Appender {
  readonly #registry: Registry;
  readonly #create;
  readonly #advance;
  readonly #advanceWithSnapshot;
  readonly #insert;
  readonly #aggregate;
  readonly #stored;
  readonly #byCommand;

  constructor(client: Client, registry: Registry) {
    this.#registry = registry;
    this.#create = client.query<{ readonly no: number }>(
      `INSERT INTO aggregates (tenant, type, id, version, snapshot_version, snapshot_schema, snapshot) VALUES (?, ?, ?, 0, ?, ?, ?)
      ON CONFLICT DO NOTHING RETURNING no`,
    );
    this.#advance = client.query<{ readonly no: number }>(
      "UPDATE aggregates SET version = ? WHERE tenant = ? AND type = ? AND id = ? AND version = ? RETURNING no",
    );
    this.#advanceWithSnapshot = client.query<{ readonly no: number }>(
      `UPDATE aggregates SET version = ?, snapshot_version = ?, snapshot_schema = ?, snapshot = ?
      WHERE tenant = ? AND type = ? AND id = ? AND version = ? RETURNING no`,
    );
    this.#insert = client.query(
      "INSERT INTO commits (tenant, position, aggregate, version, command_id, data) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#aggregate = client.query<AggregateRow>("SELECT no, version FROM aggregates WHERE tenant = ? AND type = ? AND id = ?");
    this.#stored = client.query<StoredRow>("SELECT position, data FROM commits WHERE aggregate = ? AND version = ?");
    this.#byCommand = client.query<StoredRow>("SELECT position, data FROM commits WHERE tenant = ? AND command_id = ?");
  }

  /** Appends what fits of the pending commits. @throws {TenantError} unless the tenant is open; nothing was written. */
  append(tenant: string, pending: readonly PendingCommit[]): readonly CommitOutcome[] {
    const row = this.#registry.writable(tenant);
    let { head } = row;
    const shared = 1 / pending.length;
    const life = String(row.life);
    const outcomes = pending.map((commit): CommitOutcome => {
      if (commit.life !== undefined && commit.life !== life) return { status: "reborn" };
      const positions = this.#write(row, commit, head);
      if (positions === undefined) return this.#refusal(row, commit);
      head += positions.length;
      return { status: "committed", life, positions, cost: { reads: shared, writes: 2 * positions.length + shared } };
    });
    if (head > row.head) this.#registry.setHead(row, head);
    return outcomes;
  }

  /** Appends a commit from an export. @throws {ValidationError} for one that is not its aggregate's next, or repeats a commandId. */
  place(row: TenantRow, commit: Omit<Commit, "tenant">, position: number): void {
    const { type, id, version, receipt } = commit;
    if (receipt !== undefined && this.#byCommand.get(row.no, receipt.commandId) !== undefined) {
      throw new ValidationError(`commit ${position}`, `repeats the commandId ${receipt.commandId}: export the tenant again`);
    }
    const aggregate = this.#move(row.no, { type, id, version });
    if (aggregate === undefined) {
      const next = this.#version(row.no, type, id) + 1;
      throw new ValidationError(`commit ${position}`, `has version ${version}, not ${next}: export the tenant again`);
    }
    this.#insert.run(row.no, position, aggregate, version, receipt?.commandId ?? null, encodeCommit(commit));
  }

  /** The receipt of a commandId. */
  receipt({ no }: TenantRow, commandId: string): Receipt | undefined {
    const stored = this.#byCommand.get(no, commandId);
    return stored === undefined ? undefined : factsOf(stored.data).receipt;
  }

  /** Writes a pending commit whole and returns its positions, or writes nothing. */
  #write(row: TenantRow, pending: PendingCommit, head: number): readonly number[] | undefined {
    const { writes, verified, receipt } = pending;
    // The update of a lone write checks its version by itself.
    const isSimple = writes.length === 1 && verified.length === 0 && receipt === undefined;
    if (!isSimple && !this.#isNext(row, pending)) return undefined;
    const positions: number[] = [];
    for (const [index, write] of writes.entries()) {
      const aggregate = this.#move(row.no, write);
      if (aggregate === undefined && isSimple) return undefined;
      if (aggregate === undefined) throw new Error("one commit writes an aggregate twice: its maker is broken");
      const position = head + index + 1;
      const commandId = index === 0 && receipt !== undefined ? receipt.commandId : null;
      this.#insert.run(row.no, position, aggregate, write.version, commandId, encodePending(pending, write.events, index === 0));
      positions.push(position);
    }
    return positions;
  }

  /** Moves an aggregate to its next version, with its snapshot; returns its number, or undefined if it stands elsewhere. */
  #move(
    tenant: number,
    { type, id, version, snapshot }: Pick<PendingWrite, "type" | "id" | "version" | "snapshot">,
  ): number | undefined {
    const state = snapshot === undefined ? null : JSON.stringify(snapshot.state);
    if (version === 0) {
      const first = state === null ? ([null, null] as const) : ([0, snapshot?.schema ?? 0] as const);
      return this.#create.get(tenant, type, id, ...first, state)?.no;
    }
    if (snapshot === undefined) return this.#advance.get(version, tenant, type, id, version - 1)?.no;
    return this.#advanceWithSnapshot.get(version, version, snapshot.schema, state, tenant, type, id, version - 1)?.no;
  }

  #isNext({ no }: TenantRow, { writes, verified, receipt }: PendingCommit): boolean {
    for (const { type, id, version } of writes) if (this.#version(no, type, id) !== version - 1) return false;
    for (const { type, id, version } of verified) if (this.#version(no, type, id) !== version) return false;
    return receipt === undefined || this.#byCommand.get(no, receipt.commandId) === undefined;
  }

  #version(tenant: number, type: string, id: string): number {
    return this.#aggregate.get(tenant, type, id)?.version ?? -1;
  }

  #refusal(row: TenantRow, { commitId, writes, verified, receipt }: PendingCommit): CommitOutcome {
    const own = writes.map(({ type, id, version }) => {
      const aggregate = this.#aggregate.get(row.no, type, id);
      return aggregate === undefined ? undefined : this.#stored.get(aggregate.no, version);
    });
    const isOwn = own.every((stored) => stored !== undefined && factsOf(stored.data).commitId === commitId);
    if (isOwn) {
      return {
        status: "committed",
        life: String(row.life),
        positions: own.map((stored) => stored?.position ?? 0),
        cost: { reads: own.length, writes: 0 },
      };
    }
    const earlier = receipt === undefined ? undefined : this.receipt(row, receipt.commandId);
    if (earlier !== undefined) return { status: "repeated", receipt: earlier };
    for (const { type, id, version } of [...writes.map((write) => ({ ...write, version: write.version - 1 })), ...verified]) {
      const actual = this.#version(row.no, type, id);
      if (actual !== version) return { status: "conflict", type, id, actual };
    }
    throw new Error("unreachable: a refused commit has a reason");
  }
}
