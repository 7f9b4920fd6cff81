import type {
  Address,
  CommitOutcome,
  IEventStore,
  PendingCommit,
  PositionedCommit,
  ReadResult,
  Waiting,
} from "../../core/index.ts";
import type { LostReplies } from "./lost-replies.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { SparseNumbers } from "./sparse-numbers.ts";

/** How often a group is refused as a whole, and sent one by one. */
const GROUP_FAILS = 0.3;
/** How often a request that was answered long ago arrives once more. */
const GHOST = 0.2;
/** How often commits can be read at once. */
const PROMPT = 0.3;

/** What an awkward log is made of. */
export interface AwkwardParts {
  readonly inner: IEventStore;
  readonly random: SeededRandom;
  readonly network: LostReplies;
  readonly seed: number;
  readonly now: () => number;
}

/**
 * A log over an inner one whose positions are dense: numbers with gaps, commits that can be read late and one by one, no positions at
 * commit, replies that get lost, requests that arrive twice, groups that fail as a whole.
 *
 * What cannot be read yet becomes readable by reading, so that no timer is needed.
 */
export class AwkwardLog {
  readonly #parts: AwkwardParts;
  readonly #numbers = new Map<string, SparseNumbers>();
  /** How many commits of each tenant can be read. */
  readonly #readable = new Map<string, number>();
  readonly #answered = new Map<string, PendingCommit[]>();

  constructor(parts: AwkwardParts) {
    this.#parts = parts;
  }

  async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const { inner, random } = this.#parts;
    await this.#haunt(tenant);
    const before = await this.countOf(tenant);
    const outcomes: CommitOutcome[] = [];
    const groups = pending.length > 1 && random.chance(GROUP_FAILS) ? pending.map((commit) => [commit]) : [pending];
    for (const group of groups) outcomes.push(...(await this.#send(tenant, group)));
    const isCaughtUp = (this.#readable.get(tenant) ?? 0) >= before;
    if (isCaughtUp && random.chance(PROMPT)) this.#readable.set(tenant, (await inner.peek(tenant, "head")).head);
    return outcomes;
  }

  async read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    const numbers = this.numbersOf(tenant);
    const count = await this.countOf(tenant);
    const place = numbers.placeAt(after);
    const readable = Math.min(count, Math.max(place, this.#readable.get(tenant) ?? 0));
    const wanted = Math.max(0, Math.min(limit, readable - place));
    const commits =
      wanted === 0 ? [] : (await this.#parts.inner.read(tenant, place, wanted)).commits.map((commit) => this.#renumber(commit));
    const last = Math.min(count, place + commits.length);
    if (last < readable) return { commits, next: Math.max(after, numbers.numberOf(last)) };
    const next = Math.max(after, numbers.endOf(last));
    if (readable >= count) return { commits, next };
    this.#reveal(tenant, readable, count);
    const missing = numbers.numberOf(readable + 1);
    return { commits, next, waiting: waiting?.position === missing ? waiting : { position: missing, since: this.#parts.now() } };
  }

  async positionOf(address: Address, version: number): Promise<number | undefined> {
    const place = await this.#parts.inner.positionOf(address, version);
    return place === undefined ? undefined : this.numbersOf(address.tenant).numberOf(place);
  }

  /** How many commits a tenant has. */
  async countOf(tenant: string): Promise<number> {
    return (await this.#parts.inner.peek(tenant, "head")).head;
  }

  /** How a tenant's commits are numbered. */
  numbersOf(tenant: string): SparseNumbers {
    let numbers = this.#numbers.get(tenant);
    if (numbers === undefined) {
      numbers = new SparseNumbers(this.#parts.seed, tenant);
      this.#numbers.set(tenant, numbers);
    }
    return numbers;
  }

  /** Forgets what is known of a tenant that is gone. */
  forget(tenant: string): void {
    this.#readable.delete(tenant);
    this.#answered.delete(tenant);
  }

  async #send(tenant: string, group: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const { inner, network } = this.#parts;
    const outcomes = await network.send(
      () => inner.commit(tenant, group),
      async () => this.#readBack(tenant, group),
    );
    const answered = this.#answered.get(tenant) ?? [];
    this.#answered.set(tenant, answered);
    for (const [index, outcome] of outcomes.entries()) if (outcome.status === "committed") answered.push(group[index]!);
    return outcomes.map((outcome) => (outcome.status === "committed" ? withoutPositions(outcome) : outcome));
  }

  /** Known for sure if every member is there under its own commitId; whatever is absent may still land, and is sent again. */
  async #readBack(tenant: string, group: readonly PendingCommit[]): Promise<readonly CommitOutcome[] | undefined> {
    const outcomes: CommitOutcome[] = [];
    for (const { writes, commitId } of group) {
      const { type, id, version } = writes[0]!;
      const { commits, life } = await this.#parts.inner.load({ tenant, type, id }, { after: version - 1, limit: 1 });
      if (commits[0]?.commitId !== commitId) return undefined;
      outcomes.push({ status: "committed", life });
    }
    return outcomes;
  }

  /** Lets a request that was answered before arrive once more. */
  async #haunt(tenant: string): Promise<void> {
    const { inner, random } = this.#parts;
    const answered = this.#answered.get(tenant) ?? [];
    if (answered.length === 0 || !random.chance(GHOST)) return;
    await inner.commit(tenant, [answered[random.below(answered.length)]!]).catch(() => undefined);
  }

  #reveal(tenant: string, readable: number, count: number): void {
    const { random } = this.#parts;
    const more = random.chance(0.7) ? 1 + ((count - readable) >> 3) : 0;
    this.#readable.set(tenant, Math.max(this.#readable.get(tenant) ?? 0, readable + more));
  }

  #renumber(commit: PositionedCommit): PositionedCommit {
    return Object.freeze({ ...commit, position: this.numbersOf(commit.tenant).numberOf(commit.position) });
  }
}

function withoutPositions({ life }: Extract<CommitOutcome, { status: "committed" }>): CommitOutcome {
  return life === undefined ? { status: "committed" } : { status: "committed", life };
}
