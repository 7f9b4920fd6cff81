import type { Actor } from "../model/actor.ts";
import { type AggregateClass, type AnyAggregate, moveTo } from "../model/aggregate.ts";
import type { StoredEvent } from "../model/commit.ts";
import { AuthorizationError, Err } from "../model/errors.ts";
import { checkId } from "../model/ids.ts";
import type { JsonObject } from "../model/json.ts";
import type { Cost } from "../ports/event-store.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import type { CommandSetting } from "./command-setting.ts";
import type { Participant } from "./participant.ts";
import type { Place } from "./places.ts";

/** What an attempt asks of the trial that it is part of. */
export interface AttemptTools {
  readonly setting: CommandSetting;
  /** When the trial got its lane, in ms since 1970. */
  readonly now: number;
  /** Brings an aggregate in. */
  join(place: Place, isVerified: boolean): Participant | Promise<Participant>;
}

/** One try at a command: decides, gathers what to write. A second try starts from a new one, so nothing of a failed one is left. */
export class Attempt implements CommandContext<AnyAggregate, JsonObject> {
  readonly actor: Actor;
  readonly command: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly expectedVersion: number | undefined;
  readonly payload: JsonObject;
  readonly commitId: string;
  readonly replayed: boolean;
  /** The aggregate that the command is for. */
  readonly main: Participant;
  /** Every aggregate that was loaded, the command's own first. */
  readonly participants: Participant[];
  readonly #request: CommandRequest;
  readonly #tools: AttemptTools;
  #isDecided = false;
  #isFinished = false;
  /** The aggregate that was written last. */
  #last: Participant;
  #position: number | undefined;
  #cost: Cost;

  constructor(request: CommandRequest, commitId: string, main: Participant, tools: AttemptTools, replayed = false) {
    this.actor = request.actor;
    this.command = request.command.name;
    this.aggregateType = main.place.address.type;
    this.aggregateId = main.place.address.id;
    this.expectedVersion = request.expectedVersion;
    this.payload = request.payload;
    this.commitId = commitId;
    this.replayed = replayed;
    this.main = main;
    this.participants = [main];
    this.#cost = main.cost;
    this.#last = main;
    this.#request = request;
    this.#tools = tools;
  }

  get aggregate(): AnyAggregate {
    return this.main.aggregate;
  }

  get events(): readonly StoredEvent[] {
    return this.main.events;
  }

  get cost(): Cost {
    return this.#cost;
  }

  /** What a context promises: whoever answers with it as it is must not tell the states of the other aggregates that were read. */
  toJSON(): object {
    const { actor, command, aggregateType, aggregateId, expectedVersion, payload, aggregate, events, commitId, replayed, cost } =
      this;
    return { actor, command, aggregateType, aggregateId, expectedVersion, payload, aggregate, events, commitId, replayed, cost };
  }

  /** Whether the command pushed nothing at all. */
  get isEmpty(): boolean {
    return this.participants.every(({ events }) => events.length === 0);
  }

  /** Checks version and access, and runs the command; a promise only where the command gives one. */
  decide(): Promise<void> | undefined {
    const { command, actor, expectedVersion } = this.#request;
    const { aggregate, version, place } = this.main;
    if (expectedVersion !== undefined && expectedVersion !== version)
      throw Err.concurrency(place.address, expectedVersion, version);
    const { name, rule } = command;
    if (typeof rule === "function" && rule(actor, aggregate as never) !== true) throw new AuthorizationError(actor.id, name);
    const commands = aggregate.commands as Readonly<Record<string, (context: unknown) => Promise<void> | undefined>>;
    return commands[name]?.call(commands, this);
  }

  /** Ends the deciding: what the command does later, in a promise that it did not await, would be lost without a word. */
  close(): void {
    this.#isDecided = true;
  }

  push(eventName: string, payload: object = this.payload, schemaVersion?: number): void {
    this.#checkOpen();
    const isOwn = payload === this.payload;
    this.main.push(eventName, payload, schemaVersion, isOwn ? this.#request.payloadBytes : undefined);
  }

  async load<B extends AnyAggregate>(
    Type: AggregateClass<B>,
    id: string,
    options: { readonly verify?: boolean } = {},
  ): Promise<B> {
    return (await this.#join(Type, id, options.verify ?? true)).aggregate as B;
  }

  async append<B extends AnyAggregate>(
    Type: AggregateClass<B>,
    id: string,
    eventName: string,
    payload: object,
    schemaVersion?: number,
  ): Promise<B> {
    const participant = await this.#join(Type, id, true);
    this.#checkOpen();
    participant.push(eventName, payload, schemaVersion);
    return participant.aggregate as B;
  }

  async position(): Promise<number> {
    if (!this.#isFinished) throw Err.precondition("the position is known only after the command: await the command first");
    const { place, aggregate } = this.#last;
    const version = aggregate.aggregateVersion;
    if (this.#position !== undefined || version < 0) return this.#position ?? 0;
    return (await this.#tools.setting.store.positionOf(place.address, version)) ?? 0;
  }

  /** Moves the written aggregates to their new versions and keeps their states for the next command. */
  finish(committed?: { readonly life?: string; readonly positions?: readonly number[]; readonly cost?: Cost }): this {
    if (committed?.cost !== undefined) this.addCost(committed.cost);
    // Positions increase with the writes: who has waited for the last one has everything that the command wrote.
    this.#position = committed?.positions?.at(-1);
    this.#isFinished = true;
    const { setting, now } = this.#tools;
    for (const participant of this.participants) {
      const { place, aggregate, events, version, state, life } = participant;
      if (events.length === 0) continue;
      this.#last = participant;
      moveTo(aggregate, place.address.id, version + 1);
      if (state !== undefined) setting.rehydrator.keep(place, version + 1, state, committed?.life ?? life, now);
    }
    return this;
  }

  addCost({ reads, writes }: Cost): void {
    this.#cost = { reads: this.#cost.reads + reads, writes: this.#cost.writes + writes };
  }

  #checkOpen(): void {
    if (this.#isDecided)
      throw Err.precondition(`${this.command} has already returned: await every call on the context inside the command`);
  }

  async #join(Type: AggregateClass, id: string, isVerified: boolean): Promise<Participant> {
    this.#checkOpen();
    const { registry, rehydrator } = this.#tools.setting;
    const place = rehydrator.places.at(registry.of(Type), this.actor.tenant, checkId(id, "id"));
    const known = this.#find(place);
    if (known !== undefined && (known.isVerified || !isVerified)) return known;
    const joined = await this.#tools.join(place, isVerified);
    this.addCost(joined.cost);
    // Two loads of one aggregate that were awaited together: the first one that came is the one that counts.
    const meanwhile = this.#find(place);
    if (meanwhile?.isVerified) return meanwhile;
    if (meanwhile !== undefined) this.participants.splice(this.participants.indexOf(meanwhile), 1);
    this.participants.push(joined);
    return joined;
  }

  #find({ key }: Place): Participant | undefined {
    return this.participants.find(({ place }) => place.key === key);
  }
}
