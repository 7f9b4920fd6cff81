import type {
  CommitOutcome,
  CursorOutcome,
  CursorUpdate,
  IEventStore,
  Lease,
  PendingCommit,
  ThreadState,
} from "../../core/index.ts";
import { DelegatingStore } from "./delegating-store.ts";

/** The store as one process has it that dies at its n-th step: from then on it writes nothing, and its leases stay taken until they end. */
export class MortalStore extends DelegatingStore {
  #stepsLeft: number;

  /** A step lies before and after each write: 1 = before the first one. */
  constructor(inner: IEventStore, steps: number) {
    super(inner);
    this.#stepsLeft = steps;
  }

  get isDead(): boolean {
    return this.#stepsLeft <= 0;
  }

  override commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.#write(() => this.inner.commit(tenant, pending));
  }

  override acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    return this.#write(() => this.inner.acquire(tenant, thread, seen, leasedUntil));
  }

  override commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return this.#write(() => this.inner.commitCursors(lease, update));
  }

  async #write<T>(write: () => Promise<T>): Promise<T> {
    this.#step();
    const written = await write();
    this.#step();
    return written;
  }

  #step(): void {
    this.#stepsLeft -= 1;
    if (this.isDead) throw new Error("this process is dead");
  }
}
