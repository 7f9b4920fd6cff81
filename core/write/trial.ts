import { keyOf } from "../model/address.ts";
import { Err, StoreError } from "../model/errors.ts";
import { create } from "../model/fold.ts";
import type { CommitOutcome, PendingCommit } from "../ports/event-store.ts";
import { fullJitter } from "../ports/full-jitter.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { Context } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import type { CommandSetting } from "./command-setting.ts";
import { isOutdated } from "./freshness.ts";
import type { CommitEntry } from "./group-commit.ts";
import { Participant } from "./participant.ts";
import { pendingOf } from "./pending.ts";
import type { Place } from "./places.ts";
import { refuseImpure } from "./recalculate.ts";
import { FREE } from "./rehydrate.ts";
import { replay, replayOr } from "./replay.ts";
import { type Teller, tellerOf } from "./teller.ts";

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;

/**
 * One command, from its first attempt to its result.
 *
 * The way: `run` waits for the aggregate's lane, `#begin` gets the aggregate, `#decide` runs the command on it, `#submit` gives its commit
 * to the tenant's group, `settle` hears what became of it. Then the command ends, or begins again.
 *
 * A refusal that was decided on a warm state is not final: it is checked against the store, because it would never conflict. What the
 * attempts learn for each other is kept here: which states were checked, and which snapshots are wrong.
 */
export class Trial implements AttemptTools, CommitEntry {
  readonly setting: CommandSetting;
  /** The aggregate that the command is for. */
  readonly place: Place;
  now: number;
  pending!: PendingCommit;
  #attempt!: Attempt;
  #hasLeft = false;
  readonly #resolve: (context: Context) => void;
  readonly #reject: (error: unknown) => void;
  readonly #request: CommandRequest;
  readonly #sentAt: number;
  readonly #tell: Teller | undefined;
  #tries = 0;
  /** Aggregates whose snapshot was found wrong. */
  #distrusted: Set<string> | undefined;
  /** Aggregates about which the store was asked: their warm states are used no more. */
  #asked: Set<string> | undefined;

  constructor(
    setting: CommandSetting,
    request: CommandRequest,
    start: number,
    resolve: (context: Context) => void,
    reject: (error: unknown) => void,
  ) {
    const { actor, command, aggregateId } = request;
    this.setting = setting;
    this.place = setting.rehydrator.places.at(command.owner, actor.tenant, aggregateId);
    this.now = start;
    this.#request = request;
    this.#sentAt = start;
    this.#tell = setting.tracer && tellerOf(setting.tracer, setting.platform, request, this.place.address, start);
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Attempts the command in its aggregate's lane, until it is decided for good. */
  run(): void {
    const waiting = this.place.enter();
    if (waiting === undefined) this.#begin();
    else this.#follow(waiting, () => this.#begin(this.setting.platform.now()));
  }

  // Callbacks, each of which ends in the next one or in `#fail`: the frame and the promises of an async function would cost a warm
  // command in memory a tenth of its time.

  #begin(now = this.now): void {
    this.now = now;
    try {
      const joining = this.#main();
      if (joining instanceof Participant) this.#decide(joining);
      else this.#follow(joining, (main) => this.#decide(main));
    } catch (error) {
      this.#fail(error);
    }
  }

  #decide(main: Participant): void {
    const attempt = new Attempt(this.#request, this.setting.platform.newId(), main, this);
    this.#attempt = attempt;
    let deciding: unknown;
    try {
      deciding = attempt.decide();
    } catch (error) {
      deciding = Promise.reject(error);
    }
    if (deciding === undefined) this.#submit();
    else {
      Promise.resolve(deciding).then(
        () => this.#submit(),
        (error) => this.#goOn(this.#refused(attempt, error)),
      );
    }
  }

  #submit(): void {
    const { groups, store, isDevelopment } = this.setting;
    const attempt = this.#attempt;
    try {
      attempt.close();
      if (attempt.isEmpty) this.#goOn(this.#empty(attempt));
      else {
        this.pending = pendingOf(this.#request, attempt, this.now);
        const { tenant } = this.place.address;
        if (isDevelopment) this.#follow(refuseImpure(store, attempt.participants), () => groups.submit(tenant, this));
        else groups.submit(tenant, this);
      }
    } catch (error) {
      // What is too large or no JSON may be so in a stale state only.
      this.#goOn(this.#refused(attempt, error));
    }
  }

  settle(outcome: CommitOutcome): void {
    try {
      if (outcome.status === "committed") this.#end(this.#attempt.finish(outcome));
      else this.#goOn(this.#notCommitted(this.#attempt, outcome));
    } catch (error) {
      this.#fail(error);
    }
  }

  /** A resend is replayed also where its tenant takes no more commits. */
  fail(error: unknown): void {
    this.#goOn(replayOr(this.#request, this, error));
  }

  #fail(error: unknown): void {
    this.#leave(Err.is(error) ? error.code : "error");
    this.#reject(error);
  }

  #end(context: Context): void {
    this.#leave("done");
    this.#resolve(context);
  }

  /** Ends with a result, or begins again without one. */
  #goOn(coming: Promise<Context | undefined>): void {
    this.#follow(coming, (context) => (context === undefined ? this.#begin() : this.#end(context)));
  }

  #follow<T>(coming: Promise<T>, next: (value: T) => void): void {
    coming.then(next).catch((error) => this.#fail(error));
  }

  #leave(outcome: string): void {
    // Once: what throws after it must not free the lane of who came next.
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.setting.rehydrator.places.leave(this.place);
    this.#tell?.(outcome, this.#tries);
  }

  get participants(): readonly Participant[] {
    return this.#attempt.participants;
  }

  /** An aggregate that takes part: at once where its warm state may be used, else loaded. */
  join(place: Place, isVerified: boolean): Participant | Promise<Participant> {
    const isTrusted = this.#distrusted?.has(place.key) !== true;
    // Whoever loads without a lane may keep an older state again after the store was asked.
    const mayBeWarm = isVerified && isTrusted && this.#asked?.has(place.key) !== true;
    const warm = mayBeWarm ? this.setting.rehydrator.warm(place, this.now) : undefined;
    return warm === undefined ? this.#load(place, isVerified, isTrusted) : new Participant(place, warm, isVerified);
  }

  /** The aggregate that the command is for; a new one need not be looked for. */
  #main(): Participant | Promise<Participant> {
    const { place } = this;
    if (!this.#request.isNew) return this.join(place, true);
    const aggregate = create(place.registration.Type, place.address.id);
    return new Participant(place, { aggregate, life: undefined, isCached: false, cost: FREE }, true);
  }

  #load(place: Place, isVerified: boolean, isTrusted: boolean): Promise<Participant> {
    const loading = this.setting.rehydrator.load(place, isTrusted ? "snapshot" : "events");
    return loading.then((loaded) => new Participant(place, loaded, isVerified));
  }

  // What is rare. Each resolves to the command's result, or to undefined where the command must be decided again.

  async #refused(attempt: Attempt, error: unknown): Promise<Context | undefined> {
    attempt.close();
    return (await this.#isOutdated(attempt)) ? undefined : replayOr(this.#request, this, error);
  }

  async #empty(attempt: Attempt): Promise<Context | undefined> {
    if (await this.#isOutdated(attempt)) return undefined;
    return (await replay(this.#request, this)) ?? attempt.finish();
  }

  #isOutdated(attempt: Attempt): Promise<boolean> {
    this.#asked ??= new Set();
    return isOutdated(attempt, this.setting.rehydrator, this.#asked);
  }

  async #notCommitted(attempt: Attempt, outcome: Exclude<CommitOutcome, { status: "committed" }>): Promise<Context | undefined> {
    if (outcome.status === "failed") throw outcome.error;
    if (outcome.status === "repeated") return replay(this.#request, this, outcome.receipt);
    const { tenant } = this.place.address;
    if (outcome.status === "reborn") {
      // The tenant's other warm states are void too: each is found out as this one was.
      for (const participant of attempt.participants) participant.place.warm = undefined;
      return this.#again(
        new StoreError(`tenant ${tenant} was erased and opened again meanwhile: send the command again`, { retryable: true }),
      );
    }
    const { type, id, actual } = outcome;
    const address = { tenant, type, id };
    const key = keyOf(address);
    const decided = attempt.participants.find((participant) => participant.place.key === key);
    const decidedOn = decided?.version ?? -1;
    if (decided !== undefined) decided.place.warm = undefined;
    // A snapshot ahead of the log is none of ours: a restored backup, or somebody's hand.
    if (actual < decidedOn) this.#distrusted = new Set(this.#distrusted).add(key);
    const conflict = Err.concurrency(address, decidedOn, actual);
    this.setting.tracer?.trace(() => ({ method: "conflict", ...address, expected: decidedOn, actual }));
    return key === this.place.key && this.#request.expectedVersion !== undefined
      ? replayOr(this.#request, this, conflict)
      : this.#again(conflict);
  }

  /** Waits for the next attempt, unless the deadline has passed. */
  async #again(error: Err): Promise<Context | undefined> {
    const { platform, deadline } = this.setting;
    const left = this.#sentAt + deadline - platform.now();
    if (left <= 0) return replayOr(this.#request, this, error);
    await platform.sleep(fullJitter(this.#tries++, FIRST_BACKOFF, Math.min(LONGEST_BACKOFF, left), () => platform.random()));
    return undefined;
  }
}
