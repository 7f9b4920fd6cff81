import { type Address, keyOf } from "../model/address.ts";
import type { AnyAggregate } from "../model/aggregate.ts";
import type { Receipt } from "../model/commit.ts";
import { Err, IdempotencyError, StoreError } from "../model/errors.ts";
import { create } from "../model/fold.ts";
import type { JsonObject } from "../model/json.ts";
import type { CommitOutcome } from "../ports/event-store.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import type { ExecutorSetting } from "./executor.ts";
import type { GroupCommit } from "./group-commit.ts";
import { Participant } from "./participant.ts";
import { pendingOf } from "./pending.ts";
import { refuseImpure } from "./recalculate.ts";
import type { Registry } from "./registry.ts";
import { FREE, type Rehydrated, type Rehydrator } from "./rehydrate.ts";
import { replayOf } from "./replay.ts";

/** A command's result, before the handler gives it its own types. */
export type Context = CommandContext<AnyAggregate, JsonObject>;

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;
const NONE: ReadonlySet<string> = new Set();

/**
 * One command, from its first attempt to its result.
 *
 * A refusal that was decided on a warm state is not final: it is checked against the store, because it would never conflict. What the
 * attempts learn for each other is kept here: which states were checked, and which snapshots are wrong.
 */
export class Trial implements AttemptTools {
  readonly #setting: ExecutorSetting;
  readonly #groups: GroupCommit;
  readonly #request: CommandRequest;
  /** When the first attempt began, in ms since 1970. */
  readonly #start: number;
  #tries = 0;
  #distrusted: Set<string> | undefined;
  /** Aggregates about which the store was asked while carrying out this command: a refusal by them is final. */
  #checked: Set<string> | undefined;

  constructor(setting: ExecutorSetting, groups: GroupCommit, request: CommandRequest) {
    this.#setting = setting;
    this.#groups = groups;
    this.#request = request;
    this.#start = setting.platform.now();
  }

  get rehydrator(): Rehydrator {
    return this.#setting.rehydrator;
  }

  get registry(): Registry {
    return this.#setting.registry;
  }

  get distrusted(): ReadonlySet<string> {
    return this.#distrusted ?? NONE;
  }

  /** Attempts the command until it is decided for good. The warm way is here, what is rare is elsewhere: a large async function is slow. */
  async run(): Promise<Context> {
    const begun = this.#begin();
    const attempt = begun instanceof Attempt ? begun : await begun;
    try {
      const deciding = attempt.decide();
      if (deciding !== undefined) await deciding;
    } catch (error) {
      return this.#refused(attempt, error);
    }
    attempt.close();
    if (attempt.isEmpty) return this.#empty(attempt);
    const pending = pendingOf(this.#request, attempt, this.#start);
    if (this.#setting.isDevelopment) await refuseImpure(this.#setting.store, attempt.participants);
    const outcome = await this.#groups.submit(this.#request.place.address.tenant, pending);
    if (outcome.status !== "committed") return this.#notCommitted(attempt, outcome);
    attempt.finish(outcome);
    return attempt;
  }

  /** The position of an aggregate's version; 0 where it has none. At most one read. */
  async positionOf(address: Address, version: number): Promise<number> {
    return version < 0 ? 0 : ((await this.#setting.store.positionOf(address, version)) ?? 0);
  }

  /** A new attempt, with the command's aggregate loaded: at once where it is new or warm. */
  #begin(): Attempt | Promise<Attempt> {
    const { place, isNew } = this.#request;
    if (isNew) {
      return this.#attempt({
        aggregate: create(place.registration.Type, place.address.id),
        life: undefined,
        isCached: false,
        cost: FREE,
      });
    }
    const warm = this.distrusted.has(place.key) ? undefined : this.rehydrator.warm(place);
    return warm === undefined ? this.#beginCold() : this.#attempt(warm);
  }

  async #beginCold(): Promise<Attempt> {
    const { place } = this.#request;
    return this.#attempt(await this.rehydrator.load(place, this.distrusted.has(place.key) ? "events" : "snapshot"));
  }

  #attempt(rehydrated: Rehydrated): Attempt {
    const main = new Participant(this.#request.place, rehydrated, true);
    return new Attempt(this.#request, this.#setting.platform.newId(), main, rehydrated.cost, this);
  }

  async #refused(attempt: Attempt, error: unknown): Promise<Context> {
    attempt.close();
    if (await this.#isOutdated(attempt)) return this.run();
    return this.#replayOr(error);
  }

  async #empty(attempt: Attempt): Promise<Context> {
    if (await this.#isOutdated(attempt)) return this.run();
    const replay = await this.#replay(await this.#receipt());
    if (replay === undefined) attempt.finish();
    return replay ?? attempt;
  }

  async #notCommitted(attempt: Attempt, outcome: Exclude<CommitOutcome, { status: "committed" }>): Promise<Context> {
    if (outcome.status === "failed") throw outcome.error;
    if (outcome.status === "repeated") return (await this.#replay(outcome.receipt)) as Context;
    const { place, expectedVersion } = this.#request;
    const { tenant } = place.address;
    if (outcome.status === "reborn") {
      this.rehydrator.forgetTenant(tenant);
      return this.#again(
        new StoreError(`tenant ${tenant} began another life meanwhile: send the command again`, { retryable: true }),
      );
    }
    const { type, id, actual } = outcome;
    const address = { tenant, type, id };
    const key = keyOf(address);
    const decidedOn = attempt.participants.find((participant) => participant.place.key === key)?.version ?? -1;
    this.rehydrator.forget(key);
    // A snapshot ahead of the log is none of ours: a restored backup, or somebody's hand.
    if (actual < decidedOn) this.#distrusted = new Set(this.distrusted).add(key);
    const conflict = Err.concurrency(address, decidedOn, actual);
    return key === place.key && expectedVersion !== undefined ? this.#replayOr(conflict) : this.#again(conflict);
  }

  /** Attempts once more, unless the deadline has passed. */
  async #again(error: Err): Promise<Context> {
    const { platform, deadline } = this.#setting;
    const left = this.#start + deadline - platform.now();
    if (left <= 0) return this.#replayOr(error);
    // A random wait that doubles with each try ("full jitter"), so that contenders part.
    const most = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** this.#tries++, left);
    await platform.sleep(platform.random() * most);
    return this.run();
  }

  /** Whether the attempt decided on a warm state that the store has moved past; each aggregate is asked about once a command. */
  async #isOutdated(attempt: Attempt): Promise<boolean> {
    let isOutdated = false;
    this.#checked ??= new Set();
    for (const { place, isCached, version, life } of attempt.participants) {
      if (!isCached || this.#checked.has(place.key)) continue;
      this.#checked.add(place.key);
      attempt.addCost({ reads: 1, writes: 0 });
      if (await this.rehydrator.isStale(place, version, life)) isOutdated = true;
    }
    return isOutdated;
  }

  /** The first result, if the command was carried out before; else throws the error. Says nothing about receipts to who may not send it. */
  async #replayOr(error: unknown): Promise<Context> {
    if (Err.is(error, "validation") || Err.is(error, "authorization") || Err.is(error, "store")) throw error;
    const replay = await this.#replay(await this.#receipt());
    if (replay !== undefined) return replay;
    throw error;
  }

  async #receipt(): Promise<Receipt | undefined> {
    const { commandId, actor } = this.#request;
    return commandId === undefined ? undefined : this.#setting.store.receipt(actor.tenant, commandId);
  }

  async #replay(receipt: Receipt | undefined): Promise<Context | undefined> {
    if (receipt === undefined) return undefined;
    const { actorId, hash, commandId, type, id, version } = receipt;
    const request = this.#request;
    if (actorId !== request.actor.id || hash !== request.hash) throw new IdempotencyError(commandId);
    const address = { tenant: request.actor.tenant, type, id };
    const { aggregate, last } = await this.rehydrator.loadAt(request.command.owner.Type, address, version);
    return replayOf(request, receipt, aggregate, last, () => this.positionOf(address, version));
  }
}
