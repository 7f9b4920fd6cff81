import { Err, StoreError } from "../model/errors.ts";
import type { CommitOutcome, IEventStore, PendingCommit } from "../ports/event-store.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { Participant } from "./participant.ts";

/** The most commits in one group: DynamoDB's and Firestore's batches hold a few hundred items, and a commit takes up to three. */
const MAX_COMMITS = 100;
/** The most bytes of JSON in one group: well under Firestore's 10 MiB a request. */
const MAX_BYTES = 4 * 1024 * 1024;

/** From how many tenants on the idle ones are let go. */
const MOST_IDLE = 1_000;

const READY = Promise.resolve();

interface Entry {
  readonly pending: PendingCommit;
  /** Where the commit reads and writes. */
  readonly participants: readonly Participant[];
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
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
  #most = MOST_IDLE;

  constructor(store: IEventStore, opensTenants: boolean, tracer: ITracer | undefined) {
    this.store = store;
    this.opensTenants = opensTenants;
    this.tracer = tracer;
  }

  /** Resolves to the outcome of this commit; rejects with what the store threw for the whole group. */
  submit(tenant: string, pending: PendingCommit, participants: readonly Participant[]): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => this.#queueOf(tenant).add({ pending, participants, resolve, reject }));
  }

  /** Idle queues stay until there are many: to make and drop one for every lone commit costs more than to keep it. */
  #queueOf(tenant: string): Queue {
    let queue = this.#queues.get(tenant);
    if (queue === undefined) {
      if (this.#queues.size >= this.#most) {
        for (const [name, { isBusy }] of this.#queues) if (!isBusy) this.#queues.delete(name);
        this.#most = this.#queues.size + MOST_IDLE;
      }
      queue = new Queue(this, tenant);
      this.#queues.set(tenant, queue);
    }
    return queue;
  }
}

/** The commits of one tenant that wait, and the group that is in flight. */
class Queue {
  isBusy = false;
  readonly #owner: GroupCommit;
  readonly #tenant: string;
  #waiting: Entry[] = [];
  #group: readonly Entry[] = [];

  constructor(owner: GroupCommit, tenant: string) {
    this.#owner = owner;
    this.#tenant = tenant;
  }

  add(entry: Entry): void {
    if (this.isBusy) this.#waiting.push(entry);
    else {
      this.isBusy = true;
      this.#waiting = [entry];
      this.#gather();
    }
  }

  // Callbacks that are made once instead of async functions: three of those would cost a warm command in memory a third of its time.

  /** Gives one turn to the commands that are ready now: those that the last group's outcomes set free come together. */
  #gather(): void {
    (this.#owner.store.gather?.() ?? READY).then(this.#send);
  }

  readonly #send = (): void => {
    this.#take();
    this.#owner.tracer?.trace(() => ({ method: "commit", tenant: this.#tenant, commits: this.#group.length }));
    this.#commit().then(this.#settle, this.#openAndSend);
  };

  #commit(): Promise<readonly CommitOutcome[]> {
    const pending = this.#group.map((entry) => entry.pending);
    return this.#owner.store.commit(this.#tenant, pending);
  }

  readonly #settle = (outcomes: readonly CommitOutcome[]): void => {
    const group = this.#group;
    for (let index = 0; index < group.length; index++) group[index]?.resolve(outcomes[index] ?? missingOutcome());
    this.#goOn();
  };

  #goOn(): void {
    this.#group = [];
    if (this.#waiting.length > 0) this.#gather();
    else this.isBusy = false;
  }

  /** Opens a tenant that nobody has opened yet, where the handler may: nothing was written, so the same group goes again. */
  readonly #openAndSend = async (cause: unknown): Promise<void> => {
    const { store, opensTenants } = this.#owner;
    try {
      if (!opensTenants || !Err.is(cause, "tenant") || cause.status !== "absent") throw cause;
      await store.open(this.#tenant);
      this.#settle(await this.#commit());
    } catch (error) {
      for (const entry of this.#group) entry.reject(error);
      this.#goOn();
    }
  };

  /** Takes the entries from the head that may go together: no two touch the same key, except by verifying only. */
  #take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 1) {
      this.#group = waiting;
      return;
    }
    const group: Entry[] = [];
    const taken = new Map<string, Touch>();
    let bytes = 0;
    for (const entry of waiting) {
      let size = 0;
      for (const write of entry.pending.writes) size += write.bytes;
      const hasRoom = group.length < MAX_COMMITS && (group.length === 0 || bytes + size <= MAX_BYTES);
      if (hasRoom && touch(entry, taken)) {
        group.push(entry);
        bytes += size;
      } else this.#waiting.push(entry);
    }
    this.#group = group;
  }
}

type Touch = "writes" | "verifies";

/** Adds the keys that a commit touches to those that are taken; false, having added none, where it may not touch one of them. */
function touch({ participants, pending: { receipt } }: Entry, taken: Map<string, Touch>): boolean {
  // A type cannot begin with a slash, so a receipt's key is never an aggregate's.
  const receiptKey = receipt && `/${receipt.commandId}`;
  if (receiptKey !== undefined && taken.has(receiptKey)) return false;
  for (const participant of participants) {
    const known = taken.get(participant.place.key);
    if (known !== undefined && touchOf(participant) !== undefined && (known === "writes" || touchOf(participant) === "writes"))
      return false;
  }
  if (receiptKey !== undefined) taken.set(receiptKey, "writes");
  for (const participant of participants) {
    const own = touchOf(participant);
    if (own !== undefined) taken.set(participant.place.key, own);
  }
  return true;
}

function touchOf({ events, isVerified }: Participant): Touch | undefined {
  if (events.length > 0) return "writes";
  return isVerified ? "verifies" : undefined;
}

function missingOutcome(): CommitOutcome {
  const error = new StoreError("the store gave no outcome for a commit: its adapter is broken", {
    retryable: false,
    outcome: "unknown",
  });
  return { status: "failed", error };
}
