import { type Address, keyOf } from "../model/address.ts";
import type { AnyAggregate } from "../model/aggregate.ts";
import type { Receipt } from "../model/commit.ts";
import { Err, IdempotencyError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { CommitOutcome, IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import { GroupCommit } from "./group-commit.ts";
import { refuseImpure } from "./recalculate.ts";
import type { Registry } from "./registry.ts";
import type { Rehydrator, Trust } from "./rehydrate.ts";
import { replayOf } from "./replay.ts";

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;

/** What carrying out commands needs. */
export interface ExecutorSetting {
  readonly store: IEventStore;
  readonly platform: IPlatform;
  readonly tracer: ITracer | undefined;
  readonly registry: Registry;
  readonly rehydrator: Rehydrator;
  /** How long conflicts are retried, in ms. */
  readonly deadline: number;
  readonly opensTenants: boolean;
  readonly isDevelopment: boolean;
}

/**
 * Carries commands out: attempts, commits, and attempts again after a conflict.
 *
 * A refusal that was decided on a warm state is not final: it is checked against the store, because it would never conflict.
 */
export class Executor {
  readonly #setting: ExecutorSetting;
  readonly #groups: GroupCommit;

  constructor(setting: ExecutorSetting) {
    this.#setting = setting;
    this.#groups = new GroupCommit(setting.store, setting.tracer);
  }

  /** Carries out one checked command; its aggregate's lane must be held. */
  async carryOut(request: CommandRequest): Promise<CommandContext<AnyAggregate, JsonObject>> {
    const end = this.#setting.platform.now() + this.#setting.deadline;
    /** Aggregates whose state was read from the store while carrying out this command: a refusal by them is final. */
    const checked = new Set<string>();
    const distrusted = new Set<string>();
    const tools: AttemptTools = {
      rehydrator: this.#setting.rehydrator,
      registrationOf: (Type) => this.#setting.registry.of(Type),
      trustIn: (address): Trust => (distrusted.has(keyOf(address)) ? "events" : "cache"),
    };
    for (let tries = 0; ; tries++) {
      const attempt = new Attempt(request, this.#setting.platform.newId(), tools);
      try {
        await attempt.decide();
      } catch (error) {
        if (await this.#isOutdated(attempt, checked)) continue;
        return this.#replayOr(request, error);
      }
      if (attempt.isEmpty) {
        if (await this.#isOutdated(attempt, checked)) continue;
        const replay = await this.#replay(request, await this.#receipt(request));
        if (replay !== undefined) return replay;
        attempt.finish(undefined, () => this.#positionOf(request.address, attempt.main.loadedVersion));
        return attempt;
      }
      const outcome = await this.#commit(request, attempt);
      if (outcome.status === "committed") return attempt;
      if (outcome.status === "failed") throw outcome.error;
      if (outcome.status === "repeated") return (await this.#replay(request, outcome.receipt)) ?? attempt;
      const address = { tenant: request.address.tenant, type: outcome.type, id: outcome.id };
      const decidedOn = attempt.versionOf(address);
      this.#setting.rehydrator.forget(address);
      // A snapshot ahead of the log is none of ours: a restored backup, or somebody's hand.
      if (outcome.actual < decidedOn) distrusted.add(keyOf(address));
      const isOwn = keyOf(address) === keyOf(request.address);
      const expected = request.expectedVersion;
      if ((isOwn && expected !== undefined) || this.#setting.platform.now() >= end) {
        return this.#replayOr(request, Err.concurrency(address, (isOwn ? expected : undefined) ?? decidedOn, outcome.actual));
      }
      await this.#backOff(tries, end);
    }
  }

  async #commit(request: CommandRequest, attempt: Attempt): Promise<CommitOutcome> {
    const { tenant } = request.address;
    const pending = attempt.pending(this.#setting.platform.now(), receiptOf(request, attempt));
    if (this.#setting.isDevelopment) await refuseImpure(this.#setting.store, attempt.participants);
    let outcome: CommitOutcome;
    try {
      outcome = await this.#groups.submit(tenant, pending);
    } catch (error) {
      if (!this.#setting.opensTenants || !Err.is(error, "tenant") || error.status !== "absent") throw error;
      await this.#setting.store.open(tenant);
      outcome = await this.#groups.submit(tenant, pending);
    }
    if (outcome.status === "committed") {
      const index = pending.writes.findIndex(({ type, id }) => type === request.address.type && id === request.address.id);
      const known = outcome.positions?.[index];
      const version = attempt.main.loadedVersion + (index < 0 ? 0 : 1);
      attempt.finish(outcome.cost, async () => known ?? this.#positionOf(request.address, version));
    }
    return outcome;
  }

  /** Whether the attempt decided on a warm state that the store has moved past; each aggregate is asked about once a command. */
  async #isOutdated(attempt: Attempt, checked: Set<string>): Promise<boolean> {
    let isOutdated = false;
    for (const { address, isCached, loadedVersion } of attempt.participants) {
      const key = keyOf(address);
      if (!isCached || checked.has(key)) continue;
      checked.add(key);
      attempt.addCost({ reads: 1, writes: 0 });
      if (await this.#setting.rehydrator.isStale(address, loadedVersion)) isOutdated = true;
    }
    return isOutdated;
  }

  /** The first result, if the command was carried out before; else throws the error. Says nothing about receipts to who may not send it. */
  async #replayOr(request: CommandRequest, error: unknown): Promise<CommandContext<AnyAggregate, JsonObject>> {
    if (Err.is(error, "validation") || Err.is(error, "authorization") || Err.is(error, "store")) throw error;
    const replay = await this.#replay(request, await this.#receipt(request));
    if (replay !== undefined) return replay;
    throw error;
  }

  async #receipt(request: CommandRequest): Promise<Receipt | undefined> {
    return request.commandId === undefined ? undefined : this.#setting.store.receipt(request.address.tenant, request.commandId);
  }

  async #replay(
    request: CommandRequest,
    receipt: Receipt | undefined,
  ): Promise<CommandContext<AnyAggregate, JsonObject> | undefined> {
    if (receipt === undefined) return undefined;
    if (receipt.actorId !== request.actor.id || receipt.hash !== request.hash) throw new IdempotencyError(receipt.commandId);
    const address = { tenant: request.address.tenant, type: receipt.type, id: receipt.id };
    const aggregate = await this.#setting.rehydrator.loadAt(request.command.owner, address, receipt.version);
    const last = await this.#setting.store.load(address, { after: receipt.version - 1, upTo: receipt.version });
    return replayOf(request, receipt, aggregate, last.commits[0], () => this.#positionOf(address, receipt.version));
  }

  /** Waits a random time that doubles with each try ("full jitter"), so that contenders part; never past the deadline. */
  async #backOff(tries: number, end: number): Promise<void> {
    const most = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** tries, end - this.#setting.platform.now());
    await this.#setting.platform.sleep(Math.max(0, this.#setting.platform.random() * most));
  }

  async #positionOf(address: Address, version: number): Promise<number> {
    return version < 0 ? 0 : ((await this.#setting.store.positionOf(address, version)) ?? 0);
  }
}

function receiptOf(request: CommandRequest, attempt: Attempt): Receipt | undefined {
  const { commandId, hash, actor, address } = request;
  if (commandId === undefined || hash === undefined) return undefined;
  const version = attempt.main.loadedVersion + (attempt.events.length > 0 ? 1 : 0);
  return Object.freeze({ commandId, actorId: actor.id, hash, type: address.type, id: address.id, version });
}
