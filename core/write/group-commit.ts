import { Err, StoreError } from "../model/errors.ts";
import type { CommitOutcome, IEventStore, PendingCommit } from "../ports/event-store.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { Participant } from "./participant.ts";

/** The most commits in one group: DynamoDB's and Firestore's batches hold a few hundred items, and a commit takes up to three. */
const MAX_COMMITS = 100;
/** The most bytes of JSON in one group: well under Firestore's 10 MiB a request. */
const MAX_BYTES = 4 * 1024 * 1024;

/** How many tenants' idle queues are kept: to make and drop one for every lone commit costs more. */
const MOST_IDLE = 1_000;

const READY = Promise.resolve();

/** A commit, and who waits for what becomes of it. */
export interface CommitEntry {
  readonly pending: PendingCommit;
  /** The aggregates that the commit reads and writes. */
  readonly participants: readonly Participant[];
  /** Takes the commit's outcome; must not throw. */
  settle(outcome: CommitOutcome): void;
  /** Takes what the store threw for the whole group; must not throw. */
  fail(error: unknown): void;
}

/**
 * Lets the commits of a tenant share writes: while one write is in flight the next ones gather, then go together.
 *
 * A lone commit is sent at once. Group commit as databases do it (Gawlick and Kinkade 1985).
 */
export class GroupCommit {
  readonly store: IEventStore;
  readonly opensTenants: boolean;
  readonly tracer: ITracer | undefined;
  readonly #queues = new Map<string, Queue>();

  constructor(store: IEventStore, opensTenants: boolean, tracer: ITracer | undefined) {
    this.store = store;
    this.opensTenants = opensTenants;
    this.tracer = tracer;
  }

  /** Sends a commit with the tenant's next group. */
  submit(tenant: string, entry: CommitEntry): void {
    let queue = this.#queues.get(tenant);
    if (queue === undefined) {
      queue = new Queue(this, tenant);
      this.#queues.set(tenant, queue);
    }
    queue.add(entry);
  }

  /** Lets go of an idle queue, if there are many. */
  release(tenant: string): void {
    if (this.#queues.size > MOST_IDLE) this.#queues.delete(tenant);
  }
}

/** The commits of one tenant that wait, and the group that is in flight. */
class Queue {
  readonly #owner: GroupCommit;
  readonly #tenant: string;
  #isBusy = false;
  #waiting: CommitEntry[] = [];
  #group: readonly CommitEntry[] = [];

  constructor(owner: GroupCommit, tenant: string) {
    this.#owner = owner;
    this.#tenant = tenant;
  }

  add(entry: CommitEntry): void {
    if (this.#isBusy) this.#waiting.push(entry);
    else {
      this.#isBusy = true;
      this.#waiting = [entry];
      this.#gather();
    }
  }

  // Callbacks that are made once instead of async functions: three of those would cost a warm command in memory a third of its time.

  /** Gives one turn to the commands that are ready now: those that the last group's outcomes set free come together. */
  #gather(): void {
    (this.#owner.store.gather?.() ?? READY).then(this.#send, this.#send);
  }

  readonly #send = (): void => {
    this.#take();
    try {
      this.#owner.tracer?.trace(() => ({ method: "commit", tenant: this.#tenant, commits: this.#group.length }));
      this.#commit().then(this.#settle, this.#openAndSend);
    } catch (error) {
      void this.#openAndSend(error);
    }
  };

  #commit(): Promise<readonly CommitOutcome[]> {
    const pending = this.#group.map((entry) => entry.pending);
    return this.#owner.store.commit(this.#tenant, pending);
  }

  readonly #settle = (outcomes: readonly CommitOutcome[]): void => {
    const group = this.#group;
    for (let index = 0; index < group.length; index++) group[index]?.settle(outcomes[index] ?? missingOutcome());
    this.#goOn();
  };

  #goOn(): void {
    this.#group = [];
    this.#isBusy = this.#waiting.length > 0;
    if (this.#isBusy) this.#gather();
    else this.#owner.release(this.#tenant);
  }

  /** Opens a tenant that nobody has opened yet, where the handler may: nothing was written, so the same group goes again. */
  readonly #openAndSend = async (cause: unknown): Promise<void> => {
    const { store, opensTenants } = this.#owner;
    try {
      if (!opensTenants || !Err.is(cause, "tenant") || cause.status !== "absent") throw cause;
      await store.open(this.#tenant);
      this.#settle(await this.#commit());
    } catch (error) {
      for (const entry of this.#group) entry.fail(error);
      this.#goOn();
    }
  };

  /** Takes the entries from the head that may go together: no two touch the same key, except by verifying only. */
  #take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#group = waiting;
    if (waiting.length === 1) return;
    const group: CommitEntry[] = [];
    const taken = new Map<string, boolean>();
    let bytes = 0;
    for (const entry of waiting) {
      let size = bytes;
      for (const write of entry.pending.writes) size += write.bytes;
      const hasRoom = group.length === 0 || (group.length < MAX_COMMITS && size <= MAX_BYTES);
      if (hasRoom && joins(entry, taken)) {
        group.push(entry);
        bytes = size;
      } else this.#waiting.push(entry);
    }
    this.#group = group;
  }
}

/** Whether a commit touches none of the keys that are taken, or only verifies what is only verified; then its keys are taken too. */
function joins({ participants, pending }: CommitEntry, taken: Map<string, boolean>): boolean {
  // A type cannot begin with a slash, so a receipt's key is never an aggregate's.
  const receipt = pending.receipt && `/${pending.receipt.commandId}`;
  if (receipt !== undefined && taken.has(receipt)) return false;
  for (const { place, events, isVerified } of participants) {
    if (events.length > 0 ? taken.has(place.key) : isVerified && taken.get(place.key)) return false;
  }
  if (receipt !== undefined) taken.set(receipt, true);
  for (const { place, events, isVerified } of participants) {
    if (events.length > 0 || isVerified) taken.set(place.key, events.length > 0);
  }
  return true;
}

function missingOutcome(): CommitOutcome {
  const error = new StoreError("the store gave no outcome for a commit: its adapter is broken", {
    retryable: false,
    outcome: "unknown",
  });
  return { status: "failed", error };
}
