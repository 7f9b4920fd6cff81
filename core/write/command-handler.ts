import { type Actor, checkActor } from "../model/actor.ts";
import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import { checkArgument, checkInteger, checkLimit } from "../model/arguments.ts";
import type { Commit, StoredEvent } from "../model/commit.ts";
import { checkId, checkName } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { IEventStore } from "../ports/event-store.ts";
import { defaultPlatform, type IPlatform } from "../ports/platform.ts";
import type { ITracer } from "../ports/tracer.ts";
import type { CommandContext } from "./command-context.ts";
import { type CommandOptions, checkRequest } from "./command-request.ts";
import type { CommandSetting } from "./command-setting.ts";
import { GroupCommit } from "./group-commit.ts";
import type { AggregateClasses, CommandData, CommandName, OwnerOf, PayloadOf } from "./inference.ts";
import type { Place } from "./places.ts";
import { type HypotheticalEvent, type Recalculation, recalculate } from "./recalculate.ts";
import { Registry } from "./registry.ts";
import { Rehydrator } from "./rehydrate.ts";
import { Trial } from "./trial.ts";

/** Settings of a command handler. */
export interface CommandHandlerOptions {
  readonly tracer?: ITracer;
  /** Clock, ids and sleep; for tests. */
  readonly platform?: IPlatform;
  /** How long after the call conflicts are retried, in ms; default 8,000, which leaves an HTTP request of 10 s time to answer. */
  readonly deadline?: number;
  /** How many aggregates are cached; default 10,000. */
  readonly cacheSize?: number;
  /** `auto` (default) opens an unknown tenant at its first command; `provisioned` refuses it. */
  readonly tenants?: "auto" | "provisioned";
  /** Compares every snapshot with a fold of all events before it is written: finds commands that change state without an event. Slow. */
  readonly development?: boolean;
}

/** Executes commands: authorises, loads, decides, commits, and decides again after a conflict. */
export class CommandHandler<const C extends AggregateClasses = AggregateClasses> {
  readonly #setting: CommandSetting;

  /** @throws {Err} that names what is wrong with the store, a class or an option. */
  constructor(store: IEventStore, aggregates: C, options: CommandHandlerOptions = {}) {
    checkArgument(typeof store?.commit === "function", "store", "give an event store");
    const { platform = defaultPlatform, tracer } = options;
    this.#setting = {
      store,
      platform,
      tracer,
      registry: new Registry(aggregates),
      rehydrator: new Rehydrator(store, platform, tracer, checkInteger(options.cacheSize ?? 10_000, "cacheSize", 1)),
      groups: new GroupCommit(store, options.tenants !== "provisioned", tracer),
      deadline: checkInteger(options.deadline ?? 8_000, "deadline", 1),
      isDevelopment: options.development === true,
    };
  }

  /**
   * Executes one command and resolves to its context, with the aggregate's new state.
   *
   * Without `expectedVersion` a conflict is decided again until the deadline; with it, it is an error at once. A command that pushes
   * nothing writes nothing. Commands on the same aggregate in one process run one after another. Cost when warm: no read, one write.
   * @throws {Err} `missing_argument`, `invalid_argument`, `validation`, `authorization` before anything is read; `authorization` by
   * state; `concurrency`; `idempotency`; `tenant`; `store`; and whatever the command itself throws. Nothing is written then, except
   * after a `store` error whose outcome is `unknown`: resend with the same commandId.
   */
  command<Name extends CommandName<C>>(
    actor: Actor,
    name: Name,
    data: CommandData<C, Name>,
    options: CommandOptions = {},
  ): Promise<CommandContext<OwnerOf<C, Name>, PayloadOf<C, Name>>> {
    // Not async: on the warm way a promise less is a command that is a tenth faster.
    return new Promise<unknown>((resolve, reject) => {
      const setting = this.#setting;
      const start = setting.platform.now();
      const checking = checkRequest(setting.registry, setting.platform, actor, name, data, options);
      if (checking instanceof Promise) {
        checking.then((request) => new Trial(setting, request, start, resolve, reject).run()).catch(reject);
      } else new Trial(setting, checking, start, resolve, reject).run();
    }) as Promise<CommandContext<OwnerOf<C, Name>, PayloadOf<C, Name>>>;
  }

  /** The aggregate's latest state, or the one after a version (0 or more); undefined where it has none. Any actor of the tenant may read. */
  async load<A extends AnyAggregate>(
    actor: Actor,
    Type: AggregateClass<A>,
    id: string,
    options: { readonly version?: number } = {},
  ): Promise<A | undefined> {
    const place = this.#place(checkActor(actor).tenant, Type, id);
    const { version } = options;
    const { rehydrator } = this.#setting;
    if (version === undefined) {
      const { aggregate } = await rehydrator.load(place);
      return aggregate.aggregateVersion < 0 ? undefined : (aggregate as A);
    }
    const { aggregate } = await rehydrator.loadAt(Type, place.address, checkInteger(version, "version", 0));
    return aggregate.aggregateVersion === version ? (aggregate as A) : undefined;
  }

  /** An aggregate's commits after a version (-1 = from the first), at most `limit` (1 to 1,000). Any actor of the tenant may read. */
  async history(
    actor: Actor,
    Type: AggregateClass,
    id: string,
    options: { readonly after?: number; readonly limit?: number } = {},
  ): Promise<readonly Commit[]> {
    const { address } = this.#place(checkActor(actor).tenant, Type, id);
    const after = checkInteger(options.after ?? -1, "after", -1);
    const limit = checkLimit(options.limit);
    return (await this.#setting.store.load(address, { after, limit })).commits;
  }

  /**
   * Folds an aggregate from all of its events, then applies hypothetical ones: "what if". Writes nothing.
   *
   * Also says whether the stored snapshot equals the fold of its events.
   */
  async recalculate<A extends AnyAggregate>(
    actor: Actor,
    Type: AggregateClass<A>,
    id: string,
    hypothetical: readonly HypotheticalEvent<A>[] = [],
  ): Promise<Recalculation<A>> {
    return recalculate(this.#setting.store, this.#place(checkActor(actor).tenant, Type, id), hypothetical);
  }

  /**
   * Rewrites the payloads of an aggregate's events in place, for one person's right to be forgotten; an operator's move.
   *
   * Versions, positions and commitIds stay; a commit without events takes the next version, so that whoever still has the old state (another
   * process, a running command) conflicts and loads again. Views keep the data until `StreamReader.rewind`, those that a rebuild replaced
   * until `discard`. The redactor must be pure: it is called several times, also with what it gave. Repeatable: a failed call is finished by
   * the next. Returns the number of rewritten commits. Cost: a write for each commit, two loads, and one write more; all of it again
   * where somebody commits meanwhile.
   * @throws {TenantError} for a tenant that is not open, with the events of a suspended one rewritten; {ConcurrencyError} where others
   * commit all the while; before anything is written, {ValidationError} for what the redactor gives, and what the class throws at it.
   */
  async redact(tenant: string, Type: AggregateClass, id: string, redactor: (event: StoredEvent) => JsonObject): Promise<number> {
    const place = this.#place(checkName(tenant, "tenant"), Type, id);
    checkArgument(typeof redactor === "function", "redactor", "give a function from event to payload");
    await place.enter();
    try {
      const { redact } = await import("./redact.ts");
      return await redact(this.#setting, place, redactor);
    } finally {
      // Afterwards: a load that came between has kept what was just rewritten, or is about to.
      place.warm = undefined;
      place.redactions++;
      place.leave();
    }
  }

  #place(tenant: string, Type: AggregateClass, id: string): Place {
    const { registry, rehydrator } = this.#setting;
    return rehydrator.places.at(registry.of(Type), tenant, checkId(id, "aggregateId"));
  }
}
