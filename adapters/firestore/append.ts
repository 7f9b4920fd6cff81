import {
  type Address,
  type CommitOutcome,
  type PendingCommit,
  StoreError,
  TenantError,
  type TenantStatus,
} from "../../core/index.ts";
import type { Database, Deadline } from "./database.ts";
import { pause } from "./database.ts";
import { receiptIn, textIn } from "./documents.ts";
import { CODE, storeError } from "./failures.ts";
import { eventKey, eventRange, idKey, kindPath, openKey, pathOf } from "./keys.ts";
import type { Logs } from "./logs.ts";
import { type Prepared, partition, prepare, writesOf } from "./prepare.ts";

/** How many commits beyond the expected one are counted one by one to tell a conflict's actual version. */
const COUNTED = 8;

interface Sending {
  readonly tenant: string;
  readonly deadline: Deadline;
  readonly outcomes: Map<PendingCommit, CommitOutcome>;
  reads: number;
}

/**
 * Appends commits to a tenant's order: blindly, in one batch a group.
 *
 * The batch creates each commit's document, whose absence is the version check, and adds its ref to `log/open`: the server keeps
 * batches one after another, so the refs are in order and nobody holds a lock. `log/open` must exist: that is what an open tenant is,
 * and each life of a tenant has another, so that a commit that rests on an earlier life never lands.
 * The server refuses a batch as a whole. Then what is there is read back, each commit known by its commitId; what is decided drops out,
 * and the rest goes again, at last one by one.
 */
export class Append {
  readonly #database: Database;
  readonly #logs: Logs;
  readonly #now: () => number;
  readonly #statusOf: (tenant: string) => Promise<TenantStatus>;

  constructor(database: Database, logs: Logs, now: () => number, statusOf: (tenant: string) => Promise<TenantStatus>) {
    this.#database = database;
    this.#logs = logs;
    this.#now = now;
    this.#statusOf = statusOf;
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const sending: Sending = { tenant, deadline: this.#database.deadline(), outcomes: new Map(), reads: 0 };
    const prepared = pending.map((commit) => prepare(tenant, commit, this.#now()));
    try {
      for (const group of partition(prepared)) await this.#sendOrFail(sending, group, "none");
    } catch (error) {
      this.#close(sending.outcomes, pending, error);
    }
    return pending.map((commit) => sending.outcomes.get(commit) as CommitOutcome);
  }

  /** Sends commits; where the store fails, they do, and no others. `unsent` is what is known of them where no time is left to send them. */
  async #sendOrFail(sending: Sending, group: readonly Prepared[], unsent: "none" | "unknown"): Promise<void> {
    try {
      if (performance.now() >= sending.deadline.at) {
        throw new StoreError("the commits before this one took all the time: send it again", {
          retryable: true,
          outcome: unsent,
        });
      }
      await this.#send(sending, group);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      for (const { commit } of group) {
        if (!sending.outcomes.has(commit)) sending.outcomes.set(commit, { status: "failed", error });
      }
    }
  }

  async #send(sending: Sending, group: readonly Prepared[]): Promise<void> {
    const { tenant, deadline, outcomes } = sending;
    for (let left = group, tries = 0; left.length > 0; tries++) {
      const life = left.find(({ commit }) => commit.life !== undefined)?.commit.life ?? String(this.#logs.lifeOf(tenant));
      const log = pathOf(tenant, "log", openKey(Number(life)));
      const written = await this.#database.write(writesOf(log, left, this.#database.values), deadline);
      if (written.status === "done") {
        this.#logs.noteCommits(tenant, left.length);
        for (const { commit, writes } of left) {
          const cost = { reads: sending.reads, writes: writes.length + 1 / left.length };
          outcomes.set(commit, { status: "committed", life, cost });
        }
        return;
      }
      let undecided = await this.#readBack(sending, left);
      if (undecided.length === 0) return;
      if (written.code === CODE.notFound) {
        const { state } = await this.#logs.fetch(tenant);
        const status = state?.isOpen === true ? "open" : await this.#statusOf(tenant);
        if (status !== "open") throw new TenantError(tenant, status);
        undecided = this.#withoutReborn(sending, undecided, state?.life);
      }
      if (undecided.length === left.length) {
        if (left.length > 1) {
          for (const one of left) await this.#sendOrFail(sending, [one], "unknown");
          return;
        }
        // Its own fault, unless the log has grown too large for one more ref.
        if (written.code === CODE.invalidArgument && !(await this.#logs.relieve(tenant)))
          throw storeError("to write", written.cause, "none");
        if (!(await pause(tries, deadline))) throw storeError("to write in time", written.cause, "unknown");
      }
      left = undecided;
    }
  }

  /** Decides what can be decided by what is stored; returns the rest. */
  async #readBack(sending: Sending, group: readonly Prepared[]): Promise<readonly Prepared[]> {
    const { tenant, deadline, outcomes } = sending;
    const eventPath = (type: string, id: string, version: number) => pathOf(tenant, "events", eventKey(type, id, version));
    const events = new Set<string>();
    const receipts = new Set<string>();
    for (const { commit } of group) {
      for (const { type, id, version } of commit.writes) events.add(eventPath(type, id, version));
      for (const { type, id, version } of commit.verified) events.add(eventPath(type, id, version + 1));
      if (commit.receipt !== undefined) receipts.add(pathOf(tenant, "receipts", idKey(commit.receipt.commandId)));
    }
    const [eventPaths, receiptPaths] = [[...events], [...receipts]];
    const [eventDocuments, receiptDocuments] = await Promise.all([
      this.#database.get(eventPaths, deadline, ["commitId"]),
      this.#database.get(receiptPaths, deadline),
    ]);
    sending.reads += events.size + receipts.size;
    const holders = new Map<string, string>();
    for (const [index, document] of eventDocuments.entries()) {
      if (document.exists) holders.set(eventPaths[index] as string, textIn(document, "commitId"));
    }
    const found = new Map(receiptDocuments.map((document, index) => [receiptPaths[index], receiptIn(document)]));
    const undecided: Prepared[] = [];
    for (const one of group) {
      const { commitId, writes, verified, receipt } = one.commit;
      const earlier = receipt && found.get(pathOf(tenant, "receipts", idKey(receipt.commandId)));
      const expected = [...writes, ...verified.map(({ type, id, version }) => ({ type, id, version: version + 1 }))];
      const taken = expected.find(({ type, id, version }) => holders.has(eventPath(type, id, version)));
      if (writes.every(({ type, id, version }) => holders.get(eventPath(type, id, version)) === commitId)) {
        this.#logs.noteCommits(tenant, 1);
        outcomes.set(one.commit, { status: "committed", cost: { reads: sending.reads, writes: one.writes.length + 1 } });
      } else if (earlier !== undefined) outcomes.set(one.commit, { status: "repeated", receipt: earlier });
      else if (taken !== undefined) {
        const { type, id, version } = taken;
        const actual = await this.#lastVersion({ tenant, type, id }, version, deadline);
        outcomes.set(one.commit, { status: "conflict", type, id, actual });
      } else undecided.push(one);
    }
    return undecided;
  }

  /** Tells those whose states are of another life of the tenant that they are void; returns the others. */
  #withoutReborn({ outcomes }: Sending, group: readonly Prepared[], life: number | undefined): readonly Prepared[] {
    return group.filter(({ commit }) => {
      const isReborn = life !== undefined && commit.life !== undefined && commit.life !== String(life);
      if (isReborn) outcomes.set(commit, { status: "reborn" });
      return !isReborn;
    });
  }

  /** The version of an aggregate that is known to have this one. Few reads where it is near, some twenty wherever it is: versions are dense. */
  async #lastVersion({ tenant, type, id }: Address, version: number, deadline: Deadline): Promise<number> {
    const range = { ...eventRange(type, id, version + 1), limit: COUNTED, isBare: true };
    const next = await this.#database.list(kindPath(tenant, "events"), range, deadline);
    if (next.length < COUNTED) return version + next.length;
    const exists = async (at: number) => {
      const [document] = await this.#database.get([pathOf(tenant, "events", eventKey(type, id, at))], deadline, ["commitId"]);
      return document?.exists === true;
    };
    let [low, step] = [version + COUNTED, COUNTED];
    while (await exists(low + step)) [low, step] = [low + step, step * 2];
    for (let high = low + step; high - low > 1; ) {
      const middle = Math.floor((low + high) / 2);
      if (await exists(middle)) low = middle;
      else high = middle;
    }
    return low;
  }

  /** The tenant is not open, which is the whole call's error if nothing was written, and else that of the commits without an outcome. */
  #close(outcomes: Map<PendingCommit, CommitOutcome>, pending: readonly PendingCommit[], error: unknown): void {
    const hasWritten = [...outcomes.values()].some(({ status }) => status === "committed");
    if (!(hasWritten && error instanceof TenantError)) throw error;
    const failure = new StoreError(error.message, { cause: error, retryable: false });
    for (const commit of pending) if (!outcomes.has(commit)) outcomes.set(commit, { status: "failed", error: failure });
  }
}
