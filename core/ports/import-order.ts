import { bytesOf, LIMITS } from "../model/commit.ts";
import { ValidationError } from "../model/errors.ts";
import { isId, isName } from "../model/ids.ts";
import { encodeObject, type JsonObject } from "../model/json.ts";
import type { ExportRecord } from "./tenants.ts";

/** The kinds of records in the order of their coming; threads and their parked events mix. */
const PLACE: Readonly<Record<ExportRecord["kind"], number>> = { tenant: 0, commit: 1, thread: 2, parked: 2, end: 3 };
/** A record counts as this deep, so that a payload in it (record, commit, events, event, payload) counts from 1. */
const RECORD_DEPTH = -3;
const ID_TEXT = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Checks that the records given to `import` are those of one whole export, in order.
 *
 * Trusts nothing, since an export may come from a file: what passes is a frozen copy of the right shape. That an aggregate's versions
 * follow each other, and that no commandId comes twice, is left to the store, which knows them without keeping them all in memory.
 */
export class ImportOrder {
  #place = -1;
  #commits = 0;

  /** Checks the next record. @throws {ValidationError} that names the record and what is wrong with it. */
  accept(record: unknown): ExportRecord {
    const checked = encodeObject(record, this.#where, RECORD_DEPTH).value as unknown as ExportRecord;
    const place = Object.hasOwn(PLACE, checked.kind) ? PLACE[checked.kind] : undefined;
    if (place === undefined) return this.#refuse(`has the unknown kind ${String(checked.kind)}`);
    const isHeaderFirst = (place === 0) === (this.#place === -1);
    if (!isHeaderFirst || place < this.#place || this.#place === 3)
      return this.#refuse(`has the kind ${checked.kind}, which is out of order`);
    this.#check(checked);
    this.#place = place;
    return checked;
  }

  /** Checks that the last record was the export's end. @throws {ValidationError} if the export was cut short. */
  finish(): void {
    if (this.#place !== 3) throw new ValidationError("export", "has no end: it was cut short, so export the tenant again");
  }

  get #where(): string {
    return `record after ${this.#commits} commits`;
  }

  #refuse(reason: string): never {
    throw new ValidationError(this.#where, `${reason}: export the tenant again`);
  }

  #check(record: ExportRecord): void {
    switch (record.kind) {
      case "tenant":
        if (record.format !== 1) this.#refuse(`has the format ${String(record.format)}, not 1`);
        return;
      case "commit":
        if (record.position !== this.#commits + 1)
          this.#refuse(`has the position ${String(record.position)}, not ${this.#commits + 1}`);
        if (!isCommit(record.commit)) this.#refuse("is not a commit");
        this.#commits++;
        return;
      case "thread":
        if (!isName(record.thread) || !this.#areCursors(record.cursors)) this.#refuse("is not a thread");
        return;
      case "parked":
        if (!isName(record.thread) || !this.#isParked(record.parked)) this.#refuse("is not a parked event");
        return;
      case "end":
        if (record.commits !== this.#commits) this.#refuse(`ends an export of ${String(record.commits)} commits`);
    }
  }

  #areCursors(cursors: unknown): boolean {
    return (
      isObject(cursors) && Object.entries(cursors).every(([handler, position]) => isName(handler) && this.#isReached(position, 0))
    );
  }

  #isParked(parked: unknown): boolean {
    return (
      isObject(parked) &&
      isName(parked.handler) &&
      this.#isReached(parked.position, 1) &&
      [parked.index, parked.attempts, parked.parkedAt].every(isCount) &&
      [parked.event, parked.error].every(isText) &&
      [parked.stack, parked.reason].every((text) => text === undefined || isText(text)) &&
      (parked.aggregate === undefined ||
        (isObject(parked.aggregate) && isName(parked.aggregate.type) && isId(parked.aggregate.id)))
    );
  }

  /** A cursor beyond the last commit would skip the commits to come. */
  #isReached(position: unknown, least: number): boolean {
    return isCount(position) && position >= least && position <= this.#commits;
  }
}

function isCommit(commit: unknown): boolean {
  return (
    isObject(commit) &&
    isName(commit.type) &&
    isId(commit.id) &&
    isCount(commit.version) &&
    isText(commit.commitId) &&
    ID_TEXT.test(commit.commitId) &&
    Array.isArray(commit.events) &&
    commit.events.length <= LIMITS.events &&
    bytesOf(commit.events) <= LIMITS.commitBytes &&
    commit.events.every(isEvent) &&
    isText(commit.command) &&
    isObject(commit.actor) &&
    [commit.actor.id, commit.actor.name].every(isText) &&
    isCount(commit.at) &&
    [commit.correlationId, commit.causationId].every((id) => id === undefined || isText(id)) &&
    (commit.redactedAt === undefined || isCount(commit.redactedAt)) &&
    (commit.receipt === undefined || isReceipt(commit.receipt))
  );
}

function isEvent(event: unknown): boolean {
  return isObject(event) && isText(event.name) && isObject(event.payload) && isCount(event.schemaVersion);
}

function isReceipt(receipt: unknown): boolean {
  return (
    isObject(receipt) &&
    isId(receipt.commandId) &&
    [receipt.actorId, receipt.hash].every(isText) &&
    isName(receipt.type) &&
    isId(receipt.id) &&
    Number.isSafeInteger(receipt.version)
  );
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
