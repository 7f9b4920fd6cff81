import { Err, StoreError } from "../model/errors.ts";
import type { CommitOutcome, IEventStore, PendingCommit } from "../ports/event-store.ts";
import type { ITracer } from "../ports/tracer.ts";

/** The most commits in one group: DynamoDB's and Firestore's batches hold a few hundred items, and a commit takes up to three. */
const MAX_COMMITS = 100;
/** The most bytes of JSON in one group: well under Firestore's 10 MiB a request. */
const MAX_BYTES = 4 * 1024 * 1024;

const READY = Promise.resolve();

interface Entry {
  readonly pending: PendingCommit;
  readonly resolve: (outcome: CommitOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets the commits of a tenant share writes: while one write is in flight the next ones gather, then go together.
 *
 * A lone commit is sent at once. Group commit as databases do it (Gawlick and Kinkade 1985).
 */
export class GroupCommit {
  readonly #store: IEventStore;
  readonly #opensTenants: boolean;
  readonly #tracer: ITracer | undefined;
  /** A tenant has a queue while a write of it is in flight. */
  readonly #queues = new Map<string, Entry[]>();

  constructor(store: IEventStore, opensTenants: boolean, tracer: ITracer | undefined) {
    this.#store = store;
    this.#opensTenants = opensTenants;
    this.#tracer = tracer;
  }

  /** Resolves to the outcome of this commit; rejects with what the store threw for the whole group. */
  submit(tenant: string, pending: PendingCommit): Promise<CommitOutcome> {
    return new Promise((resolve, reject) => {
      const entry = { pending, resolve, reject };
      const queue = this.#queues.get(tenant);
      if (queue !== undefined) queue.push(entry);
      else this.#gather(tenant, [entry]);
    });
  }

  // Callbacks instead of async functions: three of those would cost a warm command in memory a third of its time.

  /** Gives one turn to the commands that are ready now: those that the last group's outcomes set free come together. */
  #gather(tenant: string, queue: Entry[]): void {
    this.#queues.set(tenant, queue);
    const gathering = this.#store.gather?.() ?? READY;
    gathering.then(() => this.#send(tenant, queue));
  }

  #send(tenant: string, queue: Entry[]): void {
    const group = takeGroup(queue);
    const pending = group.map((entry) => entry.pending);
    this.#tracer?.trace(() => ({ method: "commit", tenant, commits: group.length }));
    this.#store.commit(tenant, pending).then(
      (outcomes) => this.#settle(tenant, queue, group, outcomes),
      (error) => this.#openAndSend(tenant, queue, group, pending, error),
    );
  }

  #settle(tenant: string, queue: Entry[], group: readonly Entry[], outcomes: readonly CommitOutcome[]): void {
    for (let index = 0; index < group.length; index++) group[index]?.resolve(outcomes[index] ?? missingOutcome());
    if (queue.length > 0) this.#gather(tenant, queue);
    else this.#queues.delete(tenant);
  }

  /** Opens a tenant that nobody has opened yet, where the handler may: nothing was written, so the same group goes again. */
  async #openAndSend(
    tenant: string,
    queue: Entry[],
    group: readonly Entry[],
    pending: readonly PendingCommit[],
    cause: unknown,
  ): Promise<void> {
    try {
      if (!this.#opensTenants || !Err.is(cause, "tenant") || cause.status !== "absent") throw cause;
      await this.#store.open(tenant);
      this.#settle(tenant, queue, group, await this.#store.commit(tenant, pending));
    } catch (error) {
      for (const entry of group) entry.reject(error);
      this.#settle(tenant, queue, [], []);
    }
  }
}

/** Removes from the queue's head the entries that may go together: no two touch the same key, except by verifying only. */
function takeGroup(queue: Entry[]): readonly Entry[] {
  if (queue.length === 1) return queue.splice(0);
  const group: Entry[] = [];
  const left: Entry[] = [];
  const taken = new Map<string, Touch>();
  let bytes = 0;
  for (const entry of queue) {
    const touches = touchesOf(entry.pending);
    const size = entry.pending.writes.reduce((sum, write) => sum + write.bytes, 0);
    const hasRoom = group.length < MAX_COMMITS && (group.length === 0 || bytes + size <= MAX_BYTES);
    if (hasRoom && touches.every(([key, touch]) => (touch === "verifies" && taken.get(key) !== "writes") || !taken.has(key))) {
      group.push(entry);
      bytes += size;
      for (const [key, touch] of touches) taken.set(key, touch);
    } else left.push(entry);
  }
  queue.splice(0, queue.length, ...left);
  return group;
}

type Touch = "writes" | "verifies";

/** The keys that a commit touches. A type cannot begin with a slash, so a receipt's key is never an aggregate's. */
function touchesOf({ writes, verified, receipt }: PendingCommit): readonly (readonly [key: string, touch: Touch])[] {
  const keyOf = ({ type, id }: { readonly type: string; readonly id: string }) => `${type}/${id}`;
  return [
    ...writes.map((write) => [keyOf(write), "writes"] as const),
    ...verified.map((other) => [keyOf(other), "verifies"] as const),
    ...(receipt ? [[`/${receipt.commandId}`, "writes"] as const] : []),
  ];
}

function missingOutcome(): CommitOutcome {
  const error = new StoreError("the store gave no outcome for a commit: its adapter is broken", {
    retryable: false,
    outcome: "unknown",
  });
  return { status: "failed", error };
}
