import { admits } from "../model/access.ts";
import type { Actor } from "../model/actor.ts";
import { type Address, keyOf } from "../model/address.ts";
import type { AggregateClass, AnyAggregate } from "../model/aggregate.ts";
import { LIMITS, type Receipt, type StoredEvent } from "../model/commit.ts";
import { AuthorizationError, Err, ValidationError } from "../model/errors.ts";
import { apply, moveTo, stateOf } from "../model/fold.ts";
import { checkId, checkInteger } from "../model/ids.ts";
import { encodeObject, type JsonObject } from "../model/json.ts";
import { isDue } from "../model/snapshot.ts";
import { newestSchema } from "../model/upcast.ts";
import type { Cost, PendingCommit, PendingWrite } from "../ports/event-store.ts";
import type { CommandContext } from "./command-context.ts";
import type { CommandRequest } from "./command-request.ts";
import type { Registration } from "./registry.ts";
import type { Rehydrated, Rehydrator, Trust } from "./rehydrate.ts";

/** One aggregate that takes part in an attempt. */
export interface Participant {
  readonly registration: Registration;
  readonly address: Address;
  readonly aggregate: AnyAggregate;
  readonly loadedVersion: number;
  readonly isCached: boolean;
  readonly isVerified: boolean;
  readonly events: StoredEvent[];
  bytes: number;
  /** The state after the events, once the pending commit is made. */
  state?: JsonObject;
}

/** What an attempt needs from its handler. */
export interface AttemptTools {
  readonly rehydrator: Rehydrator;
  readonly registrationOf: (Type: AggregateClass) => Registration;
  readonly trustIn: (address: Address) => Trust;
}

/** One try at a command: loads, decides, gathers what to write. A second try starts from a new one, so nothing of a failed one is left. */
export class Attempt implements CommandContext<AnyAggregate, JsonObject> {
  readonly actor: Actor;
  readonly command: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly expectedVersion: number | undefined;
  readonly payload: JsonObject;
  readonly commitId: string;
  readonly replayed = false;
  readonly #request: CommandRequest;
  readonly #tools: AttemptTools;
  readonly #participants = new Map<string, Participant>();
  #main: Participant | undefined;
  #isClosed = false;
  #reads = 0;
  #writes = 0;
  #readPosition: (() => Promise<number>) | undefined;

  constructor(request: CommandRequest, commitId: string, tools: AttemptTools) {
    this.actor = request.actor;
    this.command = request.command.name;
    this.aggregateType = request.address.type;
    this.aggregateId = request.address.id;
    this.expectedVersion = request.expectedVersion;
    this.payload = request.payload;
    this.commitId = commitId;
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
    return { reads: this.#reads, writes: this.#writes };
  }
  get participants(): Iterable<Participant> {
    return this.#participants.values();
  }

  /** The aggregate that the command is for. */
  get main(): Participant {
    if (this.#main === undefined) throw Err.precondition("the aggregate is not loaded yet: use the context inside the command");
    return this.#main;
  }

  /** The version of an aggregate that was decided upon; -1 for one without commits. */
  versionOf(address: Address): number {
    return this.#participants.get(keyOf(address))?.loadedVersion ?? -1;
  }

  /** Whether the command pushed nothing at all. */
  get isEmpty(): boolean {
    for (const participant of this.#participants.values()) if (participant.events.length > 0) return false;
    return true;
  }

  /** Loads the aggregate, checks version and access, and runs the command. */
  async decide(): Promise<void> {
    const { address, command, actor, expectedVersion, isNew } = this.#request;
    const { rehydrator, trustIn } = this.#tools;
    const loaded = isNew
      ? { aggregate: rehydrator.create(command.owner, address.id), isCached: false, cost: undefined }
      : await rehydrator.load(command.owner, address, trustIn(address));
    this.#main = this.#join(command.owner, address, loaded, true);
    const version = loaded.aggregate.aggregateVersion;
    if (expectedVersion !== undefined && expectedVersion !== version) throw Err.concurrency(address, expectedVersion, version);
    if (admits(command.rule, actor) === "state") {
      const predicate = command.rule as (actor: Actor, aggregate: AnyAggregate) => boolean;
      if (predicate(actor, loaded.aggregate) !== true) throw new AuthorizationError(actor.id, command.name);
    }
    const commands = loaded.aggregate.commands as Readonly<Record<string, (context: unknown) => Promise<void> | void>>;
    const decided = commands[command.name]?.call(commands, this);
    if (decided !== undefined) await decided;
    this.#isClosed = true;
  }

  push(eventName: string, payload: object = this.payload, schemaVersion?: number): void {
    this.#checkOpen();
    this.#push(this.main, eventName, payload, schemaVersion);
  }

  async load<B extends AnyAggregate>(
    Type: AggregateClass<B>,
    id: string,
    options: { readonly verify?: boolean } = {},
  ): Promise<B> {
    this.#checkOpen();
    return (await this.#participant(Type, id, options.verify ?? true)).aggregate as B;
  }

  async append<B extends AnyAggregate>(
    Type: AggregateClass<B>,
    id: string,
    eventName: string,
    payload: object,
    schemaVersion?: number,
  ): Promise<B> {
    this.#checkOpen();
    const participant = await this.#participant(Type, id, true);
    this.#checkOpen();
    this.#push(participant, eventName, payload, schemaVersion);
    return participant.aggregate as B;
  }

  async position(): Promise<number> {
    if (this.#readPosition === undefined)
      throw Err.precondition("the position is known after the command only: await the command first");
    return this.#readPosition();
  }

  /** Makes the frozen pending commit, with every bound checked. @throws {ValidationError} for a bound or a state that is not JSON. */
  pending(at: number, receipt: Receipt | undefined): PendingCommit {
    const written: Participant[] = [];
    const verified: { type: string; id: string; version: number }[] = [];
    for (const participant of this.#participants.values()) {
      if (participant.events.length > 0) written.push(participant);
      else if (participant.isVerified && participant !== this.#main) {
        verified.push({ type: participant.address.type, id: participant.address.id, version: participant.loadedVersion });
      }
    }
    // The command's own aggregate, where it is not written, is verified like any other: its state was decided upon.
    if (this.main.events.length === 0) {
      verified.push({ type: this.aggregateType, id: this.aggregateId, version: this.main.loadedVersion });
    }
    checkBound(written.length, LIMITS.written, "aggregates are written");
    checkBound(verified.length, LIMITS.verified, "aggregates are verified");
    checkBound(
      written.reduce((sum, participant) => sum + participant.bytes, 0),
      LIMITS.commandBytes,
      "bytes of events are written",
    );
    const { correlationId, causationId, actor } = this.#request;
    return Object.freeze({
      commitId: this.commitId,
      writes: written.map(toWrite),
      verified,
      command: this.command,
      actor: Object.freeze({ id: actor.id, name: actor.name }),
      at,
      ...(receipt && { receipt }),
      ...(correlationId !== undefined && { correlationId }),
      ...(causationId !== undefined && { causationId }),
    });
  }

  /** Moves the written aggregates to their new versions and keeps their states for the next command. */
  finish(cost: Cost | undefined, readPosition: () => Promise<number>): void {
    if (cost !== undefined) this.addCost(cost);
    this.#readPosition = readPosition;
    for (const { registration, address, aggregate, loadedVersion, events, state } of this.#participants.values()) {
      if (events.length === 0) continue;
      moveTo(aggregate, address.id, loadedVersion + 1);
      if (state !== undefined) this.#tools.rehydrator.keep(registration, address, loadedVersion + 1, state);
    }
  }

  addCost(cost: Cost): void {
    this.#reads += cost.reads;
    this.#writes += cost.writes;
  }

  /** What a command does after it was decided, in a promise that it did not await, would be lost without a word. */
  #checkOpen(): void {
    if (this.#isClosed) throw Err.precondition(`${this.command} is decided already: await everything inside the command`);
  }

  async #participant(Type: AggregateClass, id: string, isVerified: boolean): Promise<Participant> {
    const registration = this.#tools.registrationOf(Type);
    const address = { tenant: this.actor.tenant, type: registration.type, id: checkId(id, "id") };
    const known = this.#participants.get(keyOf(address));
    if (known !== undefined && (known.isVerified || !isVerified)) return known;
    const trust = isVerified ? this.#tools.trustIn(address) : "snapshot";
    return this.#join(registration, address, await this.#tools.rehydrator.load(registration, address, trust), isVerified);
  }

  #join(
    registration: Registration,
    address: Address,
    loaded: Omit<Rehydrated, "cost"> & { readonly cost: Cost | undefined },
    isVerified: boolean,
  ): Participant {
    if (loaded.cost !== undefined) this.addCost(loaded.cost);
    const { aggregate, isCached } = loaded;
    const known = this.#participants.get(keyOf(address));
    // Two loads of one aggregate that were awaited together: the first one that came is the one that counts.
    if (known?.isVerified) return known;
    const participant = {
      registration,
      address,
      aggregate,
      loadedVersion: aggregate.aggregateVersion,
      isCached,
      isVerified,
      events: [],
      bytes: 0,
    };
    this.#participants.set(keyOf(address), participant);
    return participant;
  }

  #push(participant: Participant, eventName: string, payload: object, schemaVersion: number | undefined): void {
    const { registration, aggregate, events } = participant;
    const newest = newestSchema(registration.Type.upcasters, eventName);
    const schema = schemaVersion === undefined ? newest : checkInteger(schemaVersion, "schemaVersion", 0, 1_000_000);
    checkBound(events.length + 1, LIMITS.events, `events are pushed on ${registration.type}`);
    const isOwn = payload === this.payload;
    const encoded = isOwn ? { value: this.payload, bytes: this.#request.payloadBytes } : encodeObject(payload, eventName);
    participant.bytes += encoded.bytes + eventName.length + EVENT_OVERHEAD;
    checkBound(participant.bytes, LIMITS.commitBytes, `bytes of events are pushed on ${registration.type}`);
    const event = Object.freeze({ name: eventName, payload: encoded.value, schemaVersion: schema });
    apply(registration.Type, aggregate, [event]);
    events.push(event);
  }
}

/** The bytes of `{"name":"","payload":,"schemaVersion":0},` around an event's name and payload. */
const EVENT_OVERHEAD = 42;

function toWrite(participant: Participant): PendingWrite {
  const { registration, address, aggregate, loadedVersion, events, bytes } = participant;
  const version = loadedVersion + 1;
  const { plan } = registration;
  if (plan.every === 0) return { type: address.type, id: address.id, version, events, bytes };
  const encoded = stateOf(aggregate);
  participant.state = encoded.value;
  if (!isDue(plan, version)) return { type: address.type, id: address.id, version, events, bytes };
  const snapshot = { schema: plan.schema, state: encoded.value };
  return { type: address.type, id: address.id, version, events, bytes: bytes + encoded.bytes, snapshot };
}

function checkBound(actual: number, most: number, what: string): void {
  if (actual > most) throw new ValidationError("", `${actual} ${what} by one command, at most ${most} can be: split the command`);
}
