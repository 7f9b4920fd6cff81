import { DynamoDbEventStore } from "../../adapters/dynamodb/event-store.ts";
import type { OrderRules } from "../../adapters/dynamodb/order-rules.ts";
import type { CommitOutcome, PendingCommit, PositionedCommit, ReadResult, Verified, Waiting } from "../../core/index.ts";
import { Interleaving } from "./dynamodb-interleaving.ts";
import { DynamoDbModel } from "./dynamodb-model.ts";
import { type Sent, violations } from "./dynamodb-order-checks.ts";
import { type SeededRandom, seededRandom } from "./seeded-random.ts";

const TENANT = "t";
const TYPE = "x";
const IDS = ["a", "b", "c"] as const;
const OPTIONS = { table: "model" };
/** A scenario that takes more decisions than this never ends. */
const MOST_STEPS = 4_000;

/** What a planted bug changes. */
export interface Plan {
  readonly rules?: OrderRules;
  /** Spoils what a reader makes of a page. */
  readonly spoil?: (page: ReadResult) => ReadResult;
}

/**
 * Two or three writers and two readers on one tenant, in one seeded interleaving, with crashes and misfortunes; then everything is let
 * come to an end, and the order that the readers saw is compared with what the writers were told.
 */
export class Scenario {
  readonly #random: SeededRandom;
  readonly #model = new DynamoDbModel();
  readonly #interleaving: Interleaving;
  readonly #plan: Plan;
  readonly #sent: Sent[] = [];
  readonly #read: PositionedCommit[][] = [];
  readonly #crashAt = new Map<string, number>();
  readonly #graceMs: number;
  #writing = 0;
  #reading = 0;
  #failure: string | undefined;

  constructor(seed: number, plan: Plan = {}) {
    this.#random = seededRandom(seed);
    this.#plan = plan;
    this.#graceMs = this.#random.below(30);
    const bad = this.#random.chance(0.8) ? 1 : 0;
    const misfortunes = { lostReply: 0.08 * bad, late: 0.1 * bad, doubled: 0.04 * bad, busy: 0.04 * bad };
    this.#interleaving = new Interleaving(this.#model, this.#random, misfortunes);
  }

  /** Fills the table and starts every process; nothing of them is carried out yet. */
  async start(): Promise<void> {
    const store = new DynamoDbEventStore(this.#model.direct(), OPTIONS, {
      isUntimed: true,
      platform: this.#interleaving.platform("s"),
    });
    await store.open(TENANT);
    // Now and then the open page is nearly full, so that trimming is among the steps.
    const old = this.#random.chance(0.15) ? 13 + this.#random.below(4) : this.#random.below(3);
    for (let version = 0; version < old; version++)
      await this.#commit(store, "setup", [this.#pending("setup", ["a"], { a: version - 1 })]);
    const writers = 2 + this.#random.below(2);
    for (let n = 0; n < writers; n++) this.#launch(`w${n}`, 0.2, (name) => this.#write(name, old - 1));
    for (let n = 0; n < 2; n++) this.#launch(`r${n}`, 0, (name) => this.#follow(name, n));
  }

  /** Whether there is nothing left to decide. */
  get isOver(): boolean {
    return this.#failure !== undefined || (this.#reading === 0 && this.#interleaving.isIdle);
  }

  /** Carries out one step of one request, or kills a process. */
  decide(): void {
    const { steps } = this.#interleaving;
    if (steps > MOST_STEPS) this.#failure = "the readers do not come to an end";
    if (steps === 600) this.#interleaving.calm();
    for (const [process, at] of this.#crashAt) {
      if (at > steps) continue;
      this.#crashAt.delete(process);
      this.#interleaving.crash(process);
      this.#writing--;
    }
    this.#interleaving.decide();
  }

  /** What is wrong with what was seen; empty where all is well. */
  async findings(): Promise<readonly string[]> {
    if (this.#failure !== undefined) return [this.#failure];
    const store = new DynamoDbEventStore(this.#model.direct(), OPTIONS, { isUntimed: true });
    const histories = await Promise.all(
      IDS.map(async (id) => (await store.load({ tenant: TENANT, type: TYPE, id }, { after: -1 })).commits),
    );
    return violations(this.#sent, this.#read, histories);
  }

  #launch(name: string, crashes: number, run: (name: string) => Promise<void>): void {
    const isWriter = name.startsWith("w");
    if (isWriter) this.#writing++;
    else this.#reading++;
    if (this.#random.chance(crashes)) this.#crashAt.set(name, this.#random.below(40));
    run(name).then(
      () => {
        // A crashed process hears no answer, so it never comes here.
        this.#crashAt.delete(name);
        if (isWriter) this.#writing--;
        else this.#reading--;
      },
      (error: unknown) => {
        this.#failure = `${name} failed: ${String(error)}`;
      },
    );
  }

  #store(process: string): DynamoDbEventStore {
    const internals = {
      isUntimed: true,
      platform: this.#interleaving.platform(process),
      ...(this.#plan.rules && { rules: this.#plan.rules }),
    };
    return new DynamoDbEventStore(this.#interleaving.document(process), { ...OPTIONS, graceMs: this.#graceMs }, internals);
  }

  async #write(process: string, atStart: number): Promise<void> {
    const store = this.#store(process);
    const known: Record<string, number> = { a: atStart, b: -1, c: -1 };
    const commands = 1 + this.#random.below(2);
    for (let n = 0; n < commands; n++) {
      for (let tries = 0; tries < 3; tries++) {
        const group = this.#group(process, known);
        const outcomes = await this.#commit(store, process, group);
        if (!this.#learn(known, group, outcomes)) break;
      }
    }
  }

  /** One commit of one or more aggregates, or two commits at once. */
  #group(process: string, known: Readonly<Record<string, number>>): readonly PendingCommit[] {
    const kind = this.#random.below(10);
    const first = IDS[this.#random.below(3)] ?? "a";
    const others = IDS.filter((id) => id !== first);
    const other = others[this.#random.below(2)] ?? "b";
    if (kind < 5) return [this.#pending(process, [first], known)];
    if (kind < 6) return [this.#pending(process, [first], known), this.#pending(process, [other], known)];
    if (kind < 7) return [this.#pending(process, [first, other], known)];
    if (kind < 8) return [this.#pending(process, [first], known, [], `k${this.#random.below(2)}`)];
    return [this.#pending(process, [first], known, [other])];
  }

  #pending(
    process: string,
    ids: readonly string[],
    known: Readonly<Record<string, number>>,
    verified: readonly string[] = [],
    commandId?: string,
  ): PendingCommit {
    const commitId = `${process}-${this.#sent.length}-${this.#random.below(1_000_000)}`;
    const versionOf = (id: string) => known[id] ?? -1;
    const receipt = { commandId: commandId ?? "", actorId: "p", hash: commitId, type: TYPE, id: ids[0] ?? "", version: 0 };
    return {
      commitId,
      writes: ids.map((id) => ({ type: TYPE, id, version: versionOf(id) + 1, events: [], bytes: 2 })),
      verified: verified.map((id): Verified => ({ type: TYPE, id, version: versionOf(id) })),
      command: "C",
      actor: { id: "p", name: "P" },
      at: 0,
      ...(commandId !== undefined && { receipt }),
    };
  }

  async #commit(store: DynamoDbEventStore, process: string, group: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const sent = group.map(
      (commit): Sent => ({ commit, startedAt: this.#interleaving.steps, ackedAt: undefined, isRefused: false }),
    );
    this.#sent.push(...sent);
    const outcomes = await store.commit(TENANT, group);
    for (const [index, one] of sent.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === "committed") {
        one.ackedAt = this.#interleaving.steps;
        one.positions = outcome.positions;
      } else if (outcome?.status === "failed") one.isRefused = outcome.error.outcome === "none";
      else one.isRefused = true;
    }
    if (process === "setup" && sent.some(({ ackedAt }) => ackedAt === undefined)) this.#failure = "the setup was refused";
    return outcomes;
  }

  /** Takes the outcomes in; whether to try again. */
  #learn(known: Record<string, number>, group: readonly PendingCommit[], outcomes: readonly CommitOutcome[]): boolean {
    let isRefused = false;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === "committed") for (const { id, version } of group[index]?.writes ?? []) known[id] = version;
      if (outcome.status !== "conflict") continue;
      known[outcome.id] = outcome.actual;
      isRefused = true;
    }
    return isRefused;
  }

  /** Reads on until every writer is gone, everything that was sent has landed, and nothing more comes. */
  async #follow(process: string, place: number): Promise<void> {
    const store = this.#store(process);
    const read: PositionedCommit[] = [];
    this.#read[place] = read;
    const { spoil = (page: ReadResult) => page } = this.#plan;
    let after = 0;
    let waiting: Waiting | undefined;
    for (;;) {
      const isLast = this.#writing === 0 && this.#interleaving.isSettled;
      const page = spoil(await store.read(TENANT, after, 1 + this.#random.below(5), waiting));
      read.push(...page.commits);
      if (isLast && page.next === after && page.waiting === undefined) return;
      ({ next: after, waiting } = page);
      await this.#interleaving.pause(process);
    }
  }
}
