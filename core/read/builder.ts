import { Err } from "../model/errors.ts";
import type { Cursor, Failure } from "../ports/threads.ts";
import { findParked } from "./dead-letters.ts";
import { policyOf } from "./failure-policy.ts";
import type { Generation } from "./generation.ts";
import { KnownViews } from "./known-views.ts";
import { type Site, takenOver } from "./other-generation.ts";
import type { Progress } from "./progress.ts";
import type { RebuildOptions } from "./rebuild.ts";
import { RebuildMeter } from "./rebuild-meter.ts";
import { OPERATOR_LEASE } from "./thread-lease.ts";
import { type Standing, Turn } from "./turn.ts";

/** How many commits are folded between two writes, unless the caller says. */
const BATCH = 500;
/** How long to wait for a commit that is being written, in ms. */
const LOOK_SOON = 100;
/** An event that does not fold stops the rebuild: what is live is not touched by it. */
const POLICY = policyOf({ retries: 0, onError: "halt" });

/** Folds the tenant's order into the generation that is not live, under the lease of the side thread. */
export class Builder {
  readonly #site: Site;
  readonly #progress: Progress;
  readonly #options: RebuildOptions;
  readonly #standing: Standing;
  readonly #turn: Turn;

  constructor(site: Site, progress: Progress, cursor: Cursor, options: RebuildOptions) {
    this.#site = site;
    this.#progress = progress;
    this.#options = options;
    this.#standing = { subscriber: site.subscriber, cursor };
    const { signal } = options;
    const setting = { ...site.side, policy: POLICY, lease: OPERATOR_LEASE, signal, known: new KnownViews() };
    this.#turn = new Turn(setting, progress);
  }

  get position(): number {
    return this.#standing.cursor.position;
  }

  /** Where it stands inside the next commit, whose first events are folded already. */
  get failure(): Failure | undefined {
    return this.#standing.cursor.failure;
  }

  /** Events folded so far. */
  get events(): number {
    return this.#turn.handled;
  }

  get generation(): Generation {
    return this.#standing.cursor.generation ? 1 : 0;
  }

  /** Folds until there is nothing more, or the signal aborts (false). */
  async catchUp(): Promise<boolean> {
    const { signal, onProgress } = this.#options;
    const { store, tenant, thread, platform } = this.#site.side;
    const meter = new RebuildMeter(platform, this.position);
    for (;;) {
      const { head } = await store.peek(tenant, thread);
      await this.#batch();
      onProgress?.(meter.read(this.events, this.position, head));
      if (this.position >= head) return true;
      if (signal?.aborted) return false;
      if (this.#progress.waiting !== undefined) await platform.sleep(LOOK_SOON, signal);
    }
  }

  /** Folds at least up to a position that another reader has passed already, unless the signal aborts (false). */
  async reach(position: number): Promise<boolean> {
    while (this.position < position) {
      if (this.#options.signal?.aborted) return false;
      await this.#batch();
    }
    return true;
  }

  /** Deletes what the generation holds. */
  async clear(): Promise<void> {
    await this.#turn.begin(this.#standing);
    await this.#store();
  }

  async #batch(): Promise<void> {
    await this.#turn.run([this.#standing], this.#options.limit ?? BATCH);
    await this.#passOver();
    await this.#store();
    const { failure } = this.#standing.cursor;
    if (failure === undefined || failure.attempts === 0) return;
    const { position, index, error } = failure;
    throw new Err(
      "precondition",
      `${this.#site.name} failed at position ${position}, event ${index} (${error}): fix the projection and rebuild again, or skip the event if it is parked`,
      { position, index },
    );
  }

  /** An event that the operator passed over for good is passed over here too; noted, since the operator may want it back before the switch. */
  async #passOver(): Promise<void> {
    const { cursor } = this.#standing;
    const { failure } = cursor;
    if (failure === undefined || failure.attempts === 0) return;
    const { position, index } = failure;
    const parked = await findParked(this.#site.main, { handler: this.#site.name, position, index });
    if (parked?.reason === undefined) return;
    const { reason: _, ...passed } = parked;
    this.#progress.park({ ...passed, generation: this.generation });
    this.#standing.cursor = { ...cursor, failure: { ...failure, index: index + 1, attempts: 0, retryAt: 0, halted: false } };
    this.#progress.move(this.#site.name, this.#standing.cursor);
  }

  async #store(): Promise<void> {
    const { platform } = this.#site.side;
    if (this.#turn.isFenced || !(await this.#progress.store(platform.now() + OPERATOR_LEASE))) throw takenOver(this.#site);
  }
}
