import type {
  CommitOutcome,
  JsonObject,
  PendingCommit,
  PendingWrite,
  PositionedCommit,
  ReadResult,
  Receipt,
  StoredEvent,
} from "../../core/index.ts";
import { redacted } from "../../core/store-kit.ts";
import type { Stream } from "./stream.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A tenant's commits, by aggregate and in order. Positions are dense, from 1: the commit at position p is the order's item p - 1. */
export class Log {
  readonly #order: PositionedCommit[] = [];
  readonly #streams = new Map<string, Map<string, Stream>>();
  readonly #receipts = new Map<string, PositionedCommit>();

  /** The position of the last commit; 0 before the first. */
  get head(): number {
    return this.#order.length;
  }

  /** The stream of an aggregate, if it has commits. */
  stream(type: string, id: string): Stream | undefined {
    return this.#streams.get(type)?.get(id);
  }

  /** The receipt of a commandId. */
  receipt(commandId: string): Receipt | undefined {
    return this.#receipts.get(commandId)?.receipt;
  }

  /** The commit at a position, from 1. */
  at(position: number): PositionedCommit | undefined {
    return this.#order[position - 1];
  }

  /** A page of the order; nothing is ever waited for. */
  read(after: number, limit: number): ReadResult {
    const commits = Object.freeze(this.#order.slice(after, after + limit));
    return { commits, next: after + commits.length };
  }

  /** Appends a pending commit as a whole, or tells why not, having written nothing. */
  append(tenant: string, life: string, pending: PendingCommit): CommitOutcome {
    const streams = pending.writes.map(({ type, id }) => this.stream(type, id));
    if (!this.#isNext(pending, streams)) return this.#refusal(life, pending);
    const positions = pending.writes.map((write, index) => {
      const { type, id, version, snapshot } = write;
      const stream = streams[index] ?? this.#streamOf(type, id);
      const commit = storedCommit(tenant, pending, write, index, this.#order.length + 1);
      this.#place(stream, commit);
      // A snapshot is of the version just appended, so it is newer than any that is kept.
      if (snapshot !== undefined) {
        stream.state = snapshot.state;
        stream.stateVersion = version;
        stream.stateSchema = snapshot.schema;
      }
      return commit.position;
    });
    return { status: "committed", life, positions, cost: { reads: 0, writes: positions.length } };
  }

  /** Appends a commit that is known to be the next in the order and in its aggregate. */
  add(commit: PositionedCommit): void {
    this.#place(this.#streamOf(commit.type, commit.id), commit);
  }

  /** Rewrites the payloads of an aggregate's events; returns the number of its commits. Writes nothing if the redactor throws. */
  redact(type: string, id: string, redactor: (event: StoredEvent) => JsonObject, redactedAt: number): number {
    const stream = this.stream(type, id);
    if (stream === undefined) return 0;
    const rewritten = stream.commits.map((commit) => redacted(commit, redactor, redactedAt));
    for (const commit of rewritten) {
      stream.commits[commit.version] = commit;
      this.#order[commit.position - 1] = commit;
      // A receipt holds no payload, so the entry of the old commit may stay; but the old commit must not.
      if (commit.receipt !== undefined) this.#receipts.set(commit.receipt.commandId, commit);
    }
    stream.state = undefined;
    return rewritten.length;
  }

  #place(stream: Stream, commit: PositionedCommit): void {
    stream.commits.push(commit);
    this.#order.push(commit);
    if (commit.receipt !== undefined) this.#receipts.set(commit.receipt.commandId, commit);
  }

  #streamOf(type: string, id: string): Stream {
    let streams = this.#streams.get(type);
    if (streams === undefined) {
      streams = new Map();
      this.#streams.set(type, streams);
    }
    let stream = streams.get(id);
    if (stream === undefined) {
      stream = { commits: [], state: undefined, stateVersion: -1, stateSchema: 0 };
      streams.set(id, stream);
    }
    return stream;
  }

  #lastVersion(type: string, id: string): number {
    return (this.stream(type, id)?.commits.length ?? 0) - 1;
  }

  #isNext({ writes, verified, receipt }: PendingCommit, streams: readonly (Stream | undefined)[]): boolean {
    for (let index = 0; index < writes.length; index++) {
      if ((streams[index]?.commits.length ?? 0) !== writes[index]?.version) return false;
    }
    for (const { type, id, version } of verified) if (this.#lastVersion(type, id) !== version) return false;
    return receipt === undefined || !this.#receipts.has(receipt.commandId);
  }

  #refusal(life: string, { commitId, writes, verified, receipt }: PendingCommit): CommitOutcome {
    const own = writes.map(({ type, id, version }) => this.stream(type, id)?.commits[version]);
    if (own.every((commit) => commit?.commitId === commitId)) {
      return {
        status: "committed",
        life,
        positions: own.map((commit) => commit?.position ?? 0),
        cost: { reads: own.length, writes: 0 },
      };
    }
    const earlier = receipt === undefined ? undefined : this.receipt(receipt.commandId);
    if (earlier !== undefined) return { status: "repeated", receipt: earlier };
    const expected = [...writes.map(({ type, id, version }) => ({ type, id, version: version - 1 })), ...verified];
    for (const { type, id, version } of expected) {
      const actual = this.#lastVersion(type, id);
      if (actual !== version) return { status: "conflict", type, id, actual };
    }
    throw new Error("unreachable: a refused commit has a reason");
  }
}

function storedCommit(
  tenant: string,
  pending: PendingCommit,
  write: PendingWrite,
  index: number,
  position: number,
): PositionedCommit {
  const { type, id, version, events } = write;
  const { commitId, command, actor, at, correlationId, causationId, receipt } = pending;
  const commit: Mutable<PositionedCommit> = { tenant, type, id, version, commitId, events, command, actor, at, position };
  if (correlationId !== undefined) commit.correlationId = correlationId;
  if (causationId !== undefined) commit.causationId = causationId;
  if (receipt !== undefined && index === 0) commit.receipt = receipt;
  return Object.freeze(commit);
}
