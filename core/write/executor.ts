import { keyOf } from "../model/address.ts";
import type { AnyAggregate } from "../model/aggregate.ts";
import type { Receipt } from "../model/commit.ts";
import { Err, IdempotencyError } from "../model/errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { IEventStore } from "../ports/event-store.ts";
import type { IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { Attempt } from "./attempt.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import { GroupCommit } from "./group-commit.ts";
import { Lanes } from "./lanes.ts";
import { pendingOf } from "./pending.ts";
import { refuseImpure } from "./recalculate.ts";
import type { Registry } from "./registry.ts";
import type { Rehydrator } from "./rehydrate.ts";
import { replayOf } from "./replay.ts";
import { Trial } from "./trial.ts";

/** A command's result, before the handler gives it its own types. */
type Context = CommandContext<AnyAggregate, JsonObject>;

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
  readonly #lanes = new Lanes();

  constructor(setting: ExecutorSetting) {
    this.#setting = setting;
    this.#groups = new GroupCommit(setting.store, setting.opensTenants, setting.tracer);
  }

  /** Runs a task while no command is on the aggregate with this key in this process. */
  async inLane<T>(key: string, task: () => Promise<T>): Promise<T> {
    await this.#lanes.enter(key);
    try {
      return await task();
    } finally {
      this.#lanes.leave(key);
    }
  }

  /** Carries out one checked command, in its aggregate's lane. */
  async carryOut(request: CommandRequest): Promise<Context> {
    const { platform, deadline, isDevelopment, store, tracer } = this.#setting;
    const { key, address } = request.place;
    const trial = new Trial(this.#setting);
    const waiting = this.#lanes.enter(key);
    if (waiting !== undefined) await waiting;
    const start = platform.now();
    try {
      for (let tries = 0; ; tries++) {
        const begun = trial.begin(request);
        const attempt = begun instanceof Attempt ? begun : await begun;
        try {
          const deciding = attempt.decide();
          if (deciding !== undefined) await deciding;
          attempt.close();
        } catch (error) {
          attempt.close();
          if (await trial.isOutdated(attempt)) continue;
          return await this.#replayOr(trial, request, error);
        }
        if (attempt.isEmpty) {
          if (await trial.isOutdated(attempt)) continue;
          const replay = await this.#replay(trial, request, await this.#receipt(request));
          if (replay === undefined) attempt.finish(undefined, undefined);
          return replay ?? attempt;
        }
        const pending = pendingOf(request, attempt, tries === 0 ? start : platform.now());
        if (isDevelopment) await refuseImpure(store, attempt.participants);
        const outcome = await this.#groups.submit(address.tenant, pending);
        if (outcome.status === "committed") {
          // The command's own aggregate comes first, if it is written at all.
          attempt.finish(outcome.cost, attempt.events.length > 0 ? outcome.positions?.[0] : undefined);
          return attempt;
        }
        if (outcome.status === "failed") throw outcome.error;
        if (outcome.status === "repeated") return (await this.#replay(trial, request, outcome.receipt)) ?? attempt;
        const conflict = trial.learn(attempt, { tenant: address.tenant, type: outcome.type, id: outcome.id }, outcome.actual);
        const isExpected = keyOf(conflict.address) === key && request.expectedVersion !== undefined;
        const end = start + deadline;
        if (isExpected || platform.now() >= end) return await this.#replayOr(trial, request, conflict);
        await this.#backOff(tries, end);
      }
    } finally {
      this.#lanes.leave(key);
      tracer?.trace(() => ({ method: "command", ...address, command: request.command.name, ms: platform.now() - start }));
    }
  }

  /** The first result, if the command was carried out before; else throws the error. Says nothing about receipts to who may not send it. */
  async #replayOr(trial: Trial, request: CommandRequest, error: unknown): Promise<Context> {
    if (Err.is(error, "validation") || Err.is(error, "authorization") || Err.is(error, "store")) throw error;
    const replay = await this.#replay(trial, request, await this.#receipt(request));
    if (replay !== undefined) return replay;
    throw error;
  }

  async #receipt({ commandId, place }: CommandRequest): Promise<Receipt | undefined> {
    return commandId === undefined ? undefined : this.#setting.store.receipt(place.address.tenant, commandId);
  }

  async #replay(trial: Trial, request: CommandRequest, receipt: Receipt | undefined): Promise<Context | undefined> {
    if (receipt === undefined) return undefined;
    const { actorId, hash, commandId, type, id, version } = receipt;
    if (actorId !== request.actor.id || hash !== request.hash) throw new IdempotencyError(commandId);
    const address = { tenant: request.actor.tenant, type, id };
    const { store, rehydrator } = this.#setting;
    const place = { registration: request.command.owner, address, key: keyOf(address) };
    const aggregate = await rehydrator.loadAt(place, version);
    const { commits } = await store.load(address, { after: version - 1, upTo: version });
    return replayOf(request, receipt, aggregate, commits[0], () => trial.positionOf(address, version));
  }

  /** Waits a random time that doubles with each try ("full jitter"), so that contenders part; never past the deadline. */
  async #backOff(tries: number, end: number): Promise<void> {
    const { platform } = this.#setting;
    const most = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** tries, end - platform.now());
    await platform.sleep(Math.max(0, platform.random() * most));
  }
}
