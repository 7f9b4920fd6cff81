import {
  type Address,
  type CommitOutcome,
  type CursorOutcome,
  type CursorUpdate,
  type ExportRecord,
  type IEventStore,
  type Lease,
  type Peek,
  type PendingCommit,
  type ReadResult,
  StoreError,
  type ThreadState,
  type Waiting,
} from "../../core/index.ts";
import { AwkwardLog } from "./awkward-log.ts";
import { exportRenumbered, renumberImported } from "./awkward-moving.ts";
import { DelegatingStore } from "./delegating-store.ts";
import { LostReplies } from "./lost-replies.ts";
import { seededRandom } from "./seeded-random.ts";

/**
 * A store that is as awkward as a real database may be, over an inner one that is not: it keeps the contract kit honest.
 *
 * Its positions have gaps, commits can be read late and one by one, `commit` tells no positions, replies get lost before or after
 * the write, requests arrive twice, groups fail as a whole. The seed repeats a run, as far as its calls come in the same order.
 */
export class AwkwardEventStore extends DelegatingStore {
  readonly #log: AwkwardLog;
  readonly #network: LostReplies;

  /** `inner` must number commits densely from 1. */
  constructor(inner: IEventStore, { seed, now = Date.now }: { readonly seed: number; readonly now?: () => number }) {
    super(inner);
    const random = seededRandom(seed);
    this.#network = new LostReplies(random);
    this.#log = new AwkwardLog({ inner, random, network: this.#network, seed, now });
  }

  override commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.#log.commit(tenant, pending);
  }

  override read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    return this.#log.read(tenant, after, limit, waiting);
  }

  override positionOf(address: Address, version: number): Promise<number | undefined> {
    return this.#log.positionOf(address, version);
  }

  override async peek(tenant: string, thread: string): Promise<Peek> {
    const { thread: state, head } = await this.inner.peek(tenant, thread);
    return { thread: state, head: this.#log.numbersOf(tenant).endOf(head) };
  }

  override acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    return this.#network.send(
      () => this.inner.acquire(tenant, thread, seen, leasedUntil),
      async (given) => {
        const isStillMine = given !== undefined && (await this.inner.peek(tenant, thread)).thread.fence === given.fence;
        return isStillMine ? given : undefined;
      },
    );
  }

  override commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    return this.#network.send(
      () => this.inner.commitCursors(lease, update),
      async (outcome) => {
        if (outcome?.status !== "committed") return undefined;
        if ((await this.inner.peek(lease.tenant, lease.thread)).thread.fence === lease.fence) return outcome;
        throw new StoreError("nobody knows whether the cursors moved before the thread was acquired", {
          retryable: false,
          outcome: "unknown",
        });
      },
    );
  }

  override export(tenant: string): AsyncIterable<ExportRecord> {
    return exportRenumbered(this.inner, tenant, this.#log.numbersOf(tenant));
  }

  override async import(tenant: string, records: AsyncIterable<ExportRecord>): Promise<void> {
    this.#log.forget(tenant);
    await renumberImported(this.inner, tenant, records, this.#log.numbersOf(tenant));
  }

  override async erase(tenant: string): Promise<void> {
    await this.inner.erase(tenant);
    this.#log.forget(tenant);
  }
}
