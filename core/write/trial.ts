import { type Address, keyOf } from "../model/address.ts";
import { type ConcurrencyError, Err } from "../model/errors.ts";
import { create } from "../model/fold.ts";
import { Attempt, type AttemptTools } from "./attempt.ts";
import type { CommandRequest } from "./command-request.ts";
import type { ExecutorSetting } from "./executor.ts";
import { Participant } from "./participant.ts";
import type { Registry } from "./registry.ts";
import type { Rehydrator } from "./rehydrate.ts";

const NONE: ReadonlySet<string> = new Set();

/** What the attempts at one command learn for each other: which states were checked against the store, and which snapshots are wrong. */
export class Trial implements AttemptTools {
  readonly #setting: ExecutorSetting;
  #distrusted: Set<string> | undefined;
  /** Aggregates about which the store was asked while carrying out this command: a refusal by them is final. */
  #checked: Set<string> | undefined;

  constructor(setting: ExecutorSetting) {
    this.#setting = setting;
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

  /** A new attempt, with the command's aggregate loaded: at once where it is new or warm. */
  begin(request: CommandRequest): Attempt | Promise<Attempt> {
    const { place, isNew } = request;
    if (isNew)
      return this.#attempt(request, new Participant(place, create(place.registration.Type, place.address.id), false, true));
    const warm = this.distrusted.has(place.key) ? undefined : this.rehydrator.warm(place);
    return warm === undefined ? this.#beginCold(request) : this.#attempt(request, new Participant(place, warm, true, true));
  }

  /** Whether the attempt decided on a warm state that the store has moved past; each aggregate is asked about once a command. */
  async isOutdated(attempt: Attempt): Promise<boolean> {
    let isOutdated = false;
    this.#checked ??= new Set();
    for (const { place, isCached, version } of attempt.participants) {
      if (!isCached || this.#checked.has(place.key)) continue;
      this.#checked.add(place.key);
      attempt.addCost({ reads: 1, writes: 0 });
      if (await this.rehydrator.isStale(place, version)) isOutdated = true;
    }
    return isOutdated;
  }

  /** Drops what a conflict shows to be wrong, and says it as an error. */
  learn(attempt: Attempt, address: Address, actual: number): ConcurrencyError {
    const key = keyOf(address);
    const decidedOn = attempt.participants.find(({ place }) => place.key === key)?.version ?? -1;
    this.rehydrator.forget(key);
    // A snapshot ahead of the log is none of ours: a restored backup, or somebody's hand.
    if (actual < decidedOn) this.#distrusted = new Set(this.distrusted).add(key);
    return Err.concurrency(address, decidedOn, actual);
  }

  /** The position of an aggregate's version; 0 where it has none. At most one read. */
  async positionOf(address: Address, version: number): Promise<number> {
    return version < 0 ? 0 : ((await this.#setting.store.positionOf(address, version)) ?? 0);
  }

  async #beginCold(request: CommandRequest): Promise<Attempt> {
    const { place } = request;
    const { aggregate, cost } = await this.rehydrator.load(place, this.distrusted.has(place.key) ? "events" : "snapshot");
    const attempt = this.#attempt(request, new Participant(place, aggregate, false, true));
    attempt.addCost(cost);
    return attempt;
  }

  #attempt(request: CommandRequest, main: Participant): Attempt {
    return new Attempt(request, this.#setting.platform.newId(), main, this);
  }
}
