import type { Actor } from "../model/actor.ts";
import { checkActor } from "../model/actor.ts";
import { type Address, keyOf } from "../model/address.ts";
import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import type { Commit, Receipt, StoredEvent } from "../model/commit.ts";
import { Err, IdempotencyError } from "../model/errors.ts";
import { checkId, checkInteger } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { CommitOutcome, IEventStore } from "../ports/event-store.ts";
import { defaultPlatform, type IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandOptions, type CommandRequest, checkRequest } from "./command-request.ts";
import { GroupCommit } from "./group-commit.ts";
import { Lanes } from "./lanes.ts";
import { type HypotheticalEvent, type Recalculation, recalculate, refuseImpure } from "./recalculate.ts";
import { Registry } from "./registry.ts";
import { Rehydrator, type Trust } from "./rehydrate.ts";
import { Replay } from "./replay.ts";

/** Aggregate classes, as a handler is made with them. */
export type AggregateClasses = readonly AggregateClass[];

/** The classes that have a command of this name. */
type OwnerOf<C extends AggregateClasses, Name extends string> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? Name extends keyof InstanceType<Type>["commands"]
      ? InstanceType<Type>
      : never
    : never
  : never;

/** The names of the commands of some aggregate classes. */
export type CommandName<C extends AggregateClasses> = C[number] extends infer Type
  ? Type extends AggregateClass
    ? keyof InstanceType<Type>["commands"] & string
    : never
  : never;

/** The payload of a command, as its context declares it. */
export type PayloadOf<C extends AggregateClasses, Name extends string> = string extends Name
  ? JsonObject
  : OwnerOf<C, Name> extends { readonly commands: Readonly<Record<Name, infer Command>> }
    ? Command extends (context: infer Context) => unknown
      ? Context extends CommandContext<AnyAggregate, infer Payload>
        ? Payload
        : never
      : never
    : never;

/** What is sent with a command: its payload's fields, and the aggregate that it is for. */
export type CommandData<C extends AggregateClasses, Name extends string> = PayloadOf<C, Name> & {
  /** Absent = a new aggregate with a generated id. */
  readonly aggregateId?: string;
  /** The version to act upon exactly; -1 = the aggregate must not exist yet; absent = the latest. */
  readonly expectedVersion?: number;
};

/** Settings of a command handler. */
export interface CommandHandlerOptions {
  readonly tracer?: ITracer;
  /** Clock, ids and sleep; for tests. */
  readonly platform?: IPlatform;
  /** How long conflicts are retried, in ms; default 8,000, which leaves an HTTP request of 10 s time to answer. */
  readonly deadline?: number;
  /** How many aggregates stay warm; default 10,000. */
  readonly cacheSize?: number;
  /** `auto` (default) opens an unknown tenant at its first command; `provisioned` refuses it. */
  readonly tenants?: "auto" | "provisioned";
  /** Compares every snapshot with a fold of all events before it is written: finds commands that change state without an event. Slow. */
  readonly development?: boolean;
}

/** How long the first retry after a conflict waits at most, in ms, and how long the later ones do. */
const FIRST_BACKOFF = 4;
const LONGEST_BACKOFF = 250;

/** Carries commands out: authorises, loads, decides, commits, and decides again after a conflict. */
export class CommandHandler<const C extends AggregateClasses = AggregateClasses> {
  readonly #store: IEventStore;
  readonly #platform: IPlatform;
  readonly #tracer: ITracer | undefined;
  readonly #registry: Registry;
  readonly #rehydrator: Rehydrator;
  readonly #groups: GroupCommit;
  readonly #lanes = new Lanes();
  readonly #deadline: number;
  readonly #opensTenants: boolean;
  readonly #isDevelopment: boolean;

  /** @throws {Err} that names what is wrong with the store, a class or an option. */
  constructor(store: IEventStore, aggregates: C, options: CommandHandlerOptions = {}) {
    if (typeof store?.commit !== "function") throw Err.invalidArgument("store", "give an event store");
    this.#store = store;
    this.#platform = options.platform ?? defaultPlatform;
    this.#tracer = options.tracer;
    this.#registry = new Registry(aggregates);
    const cacheSize = checkInteger(options.cacheSize ?? 10_000, "cacheSize", 1);
    this.#rehydrator = new Rehydrator(store, this.#platform, options.tracer, cacheSize);
    this.#groups = new GroupCommit(store, options.tracer);
    this.#deadline = checkInteger(options.deadline ?? 8_000, "deadline", 1);
    this.#opensTenants = options.tenants !== "provisioned";
    this.#isDevelopment = options.development === true;
  }

  /**
   * Carries out one command and resolves to its context, with the aggregate's new state.
   *
   * Without `expectedVersion` a conflict is decided again until the deadline; with it, it is an error at once. A command that pushes
   * nothing writes nothing. Commands on the same aggregate in one process run one after another. Cost when warm: no read, one write.
   * @throws {Err} `missing_argument`, `invalid_argument`, `validation`, `authorization` before anything is read; `authorization` by
   * state; `concurrency`; `idempotency`; `tenant`; `store`; and whatever the command itself throws. Nothing is written then, except
   * after a `store` error whose outcome is `unknown`: resend with the same commandId.
   */
  async command<Name extends CommandName<C>>(
    actor: Actor,
    name: Name,
    data: CommandData<C, Name>,
    options: CommandOptions = {},
  ): Promise<CommandContext<OwnerOf<C, Name>, PayloadOf<C, Name>>> {
    const checking = checkRequest(this.#registry, this.#platform, actor, name, data, options);
    const request = checking instanceof Promise ? await checking : checking;
    const run = () => this.#carryOut(request);
    const context = await (request.isNew ? run() : this.#lanes.run(keyOf(request.address), run));
    this.#tracer?.trace(() => ({
      method: "command",
      ...request.address,
      command: name,
      version: context.aggregate.aggregateVersion,
    }));
    return context as unknown as CommandContext<OwnerOf<C, Name>, PayloadOf<C, Name>>;
  }

  /** The aggregate's latest state, or the one after a version (0 or more); undefined where it has none. Any actor of the tenant may read. */
  async load<A extends AnyAggregate>(
    actor: Actor,
    Type: AggregateClass<A>,
    id: string,
    options: { readonly version?: number } = {},
  ): Promise<A | undefined> {
    const { registration, address } = this.#find(actor, Type, id);
    const { version } = options;
    if (version === undefined) {
      const { aggregate } = await this.#rehydrator.load(registration, address, "snapshot");
      return aggregate.aggregateVersion < 0 ? undefined : (aggregate as A);
    }
    const aggregate = await this.#rehydrator.loadAt(registration, address, checkInteger(version, "version", 0));
    return aggregate.aggregateVersion === version ? (aggregate as A) : undefined;
  }

  /** An aggregate's commits after a version (-1 = from the first), at most `limit` (1 to 1,000). Any actor of the tenant may read. */
  async history(
    actor: Actor,
    Type: AggregateClass,
    id: string,
    options: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<readonly Commit[]> {
    const { address } = this.#find(actor, Type, id);
    const after = checkInteger(options.after ?? -1, "after", -1);
    const limit = checkInteger(options.limit ?? 100, "limit", 1, 1_000);
    return (await this.#store.load(address, { after, limit })).commits;
  }

  /**
   * Folds an aggregate from all of its events, then applies hypothetical ones: "what if". Writes nothing.
   *
   * Says too whether the stored snapshot equals the fold of the events that it stands for.
   */
  async recalculate<A extends AnyAggregate>(
    actor: Actor,
    Type: AggregateClass<A>,
    id: string,
    hypothetical: readonly HypotheticalEvent<A>[] = [],
  ): Promise<Recalculation<A>> {
    const { registration, address } = this.#find(actor, Type, id);
    return recalculate(this.#store, registration, address, hypothetical);
  }

  /**
   * Rewrites the payloads of an aggregate's events in place, for one person's right to be forgotten; an operator's move.
   *
   * Versions, positions and commitIds stay. Views are rebuilt by `StreamReader.rewind`. Other processes may act on a warm state of it for
   * up to 10 minutes. Returns the number of commits.
   */
  async redact(tenant: string, Type: AggregateClass, id: string, redactor: (event: StoredEvent) => JsonObject): Promise<number> {
    const address = { tenant, type: this.#registry.of(Type).type, id: checkId(id, "aggregateId") };
    return this.#lanes.run(keyOf(address), async () => {
      this.#rehydrator.forget(address);
      return this.#store.redact(address, redactor, this.#platform.now());
    });
  }

  async #carryOut(request: CommandRequest): Promise<CommandContext<AnyAggregate, JsonObject>> {
    const end = this.#platform.now() + this.#deadline;
    /** Aggregates whose state was read from the store while carrying out this command: a refusal by them is final. */
    const checked = new Set<string>();
    const distrusted = new Set<string>();
    const tools: AttemptTools = {
      rehydrator: this.#rehydrator,
      registrationOf: (Type) => this.#registry.of(Type),
      trustIn: (address): Trust => (distrusted.has(keyOf(address)) ? "events" : "cache"),
    };
    for (let tries = 0; ; tries++) {
      const attempt = new Attempt(request, this.#platform.newId(), tools);
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
      this.#forget(attempt, address, outcome.actual, distrusted);
      const isOwn = keyOf(address) === keyOf(request.address);
      const expected = request.expectedVersion;
      if ((isOwn && expected !== undefined) || this.#platform.now() >= end) {
        const decidedOn = isOwn ? (expected ?? attempt.main.loadedVersion) : this.#versionIn(attempt, address);
        return this.#replayOr(request, Err.concurrency(address, decidedOn, outcome.actual));
      }
      await this.#backOff(tries, end);
    }
  }

  async #commit(request: CommandRequest, attempt: Attempt): Promise<CommitOutcome> {
    const { tenant } = request.address;
    const pending = attempt.pending(this.#platform.now(), receiptOf(request, attempt));
    if (this.#isDevelopment) await refuseImpure(this.#store, attempt.participants);
    let outcome: CommitOutcome;
    try {
      outcome = await this.#groups.submit(tenant, pending);
    } catch (error) {
      if (!this.#opensTenants || !Err.is(error, "tenant") || error.status !== "absent") throw error;
      await this.#store.open(tenant);
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
      if (await this.#rehydrator.isStale(address, loadedVersion)) isOutdated = true;
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
    return request.commandId === undefined ? undefined : this.#store.receipt(request.address.tenant, request.commandId);
  }

  async #replay(request: CommandRequest, receipt: Receipt | undefined): Promise<Replay | undefined> {
    if (receipt === undefined) return undefined;
    if (receipt.actorId !== request.actor.id || receipt.hash !== request.hash) throw new IdempotencyError(receipt.commandId);
    const address = { tenant: request.address.tenant, type: receipt.type, id: receipt.id };
    const aggregate = await this.#rehydrator.loadAt(request.command.owner, address, receipt.version);
    const last = await this.#store.load(address, { after: receipt.version - 1, upTo: receipt.version });
    return new Replay(request, receipt, aggregate, last.commits[0], () => this.#positionOf(address, receipt.version));
  }

  #forget(attempt: Attempt, address: Address, actual: number, distrusted: Set<string>): void {
    this.#rehydrator.forget(address);
    // A snapshot ahead of the log is none of ours: a restored backup, or somebody's hand.
    if (actual < this.#versionIn(attempt, address)) distrusted.add(keyOf(address));
  }

  #versionIn(attempt: Attempt, address: Address): number {
    for (const participant of attempt.participants) {
      if (keyOf(participant.address) === keyOf(address)) return participant.loadedVersion;
    }
    return -1;
  }

  /** Waits a random time that doubles with each try ("full jitter"), so that contenders part; never past the deadline. */
  async #backOff(tries: number, end: number): Promise<void> {
    const most = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** tries, end - this.#platform.now());
    await this.#platform.sleep(Math.max(0, this.#platform.random() * most));
  }

  async #positionOf(address: Address, version: number): Promise<number> {
    return version < 0 ? 0 : ((await this.#store.positionOf(address, version)) ?? 0);
  }

  #find(actor: Actor, Type: AggregateClass, id: string) {
    const { tenant } = checkActor(actor);
    const registration = this.#registry.of(Type);
    return { registration, address: { tenant, type: registration.type, id: checkId(id, "aggregateId") } };
  }
}

function receiptOf(request: CommandRequest, attempt: Attempt): Receipt | undefined {
  const { commandId, hash, actor, address } = request;
  if (commandId === undefined || hash === undefined) return undefined;
  const version = attempt.main.loadedVersion + (attempt.events.length > 0 ? 1 : 0);
  return Object.freeze({ commandId, actorId: actor.id, hash, type: address.type, id: address.id, version });
}
