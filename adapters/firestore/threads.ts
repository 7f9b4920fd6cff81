import {
  type CursorOutcome,
  type CursorUpdate,
  defaultPlatform,
  type Lease,
  type Peek,
  TenantError,
  type TenantStatus,
  type ThreadState,
} from "../../core/index.ts";
import { checkForward, cursorsAfter } from "../../core/store-kit.ts";
import type { DocumentSnapshot, UpdateTime } from "./client.ts";
import { type Claim, claimWrites, updateWrites } from "./cursor-writes.ts";
import { type Database, pause } from "./database.ts";
import { CODE, storeError } from "./failures.ts";
import { lifeKey, pathOf } from "./keys.ts";
import type { LogState } from "./log-document.ts";
import type { Logs } from "./logs.ts";
import { headOf } from "./order.ts";
import { Recent } from "./recent.ts";
import { freeThread, lifeOfRevision, threadFields, threadIn } from "./thread-document.ts";

/** How many threads a process keeps in mind. */
const THREADS_KEPT = 5_000;

/** A thread's document as it was last seen or written. */
interface Sight {
  readonly state: ThreadState;
  readonly time: UpdateTime;
}

/**
 * Leases and cursors. Every write to a thread's document names the document's last update time, so that of two only one succeeds; and
 * leaves a new mark in it (its revision), by which a writer recognises its own write after an unknown outcome.
 */
export class Threads {
  readonly #database: Database;
  readonly #logs: Logs;
  readonly #statusOf: (tenant: string) => Promise<TenantStatus>;
  readonly #sights = new Recent<Sight>(THREADS_KEPT);

  constructor(database: Database, logs: Logs, statusOf: (tenant: string) => Promise<TenantStatus>) {
    this.#database = database;
    this.#logs = logs;
    this.#statusOf = statusOf;
  }

  /** One round trip and two reads. */
  async peek(tenant: string, thread: string): Promise<Peek> {
    const { state, others } = await this.#logs.fetch(tenant, [pathOf(tenant, "threads", thread)]);
    if (state === undefined) return { thread: freeThread(0, 0), head: 0 };
    return { thread: this.#see(tenant, thread, state, others[0]), head: headOf(state) };
  }

  async acquire(tenant: string, thread: string, seen: ThreadState, leasedUntil: number): Promise<Lease | undefined> {
    const revision = defaultPlatform.newId();
    const state: ThreadState = { ...seen, fence: seen.fence + 1, leasedUntil, revision };
    const path = pathOf(tenant, "threads", thread);
    const life = lifeOfRevision(seen.revision);
    const time = life === undefined ? await this.#timeOf(tenant, thread, seen.revision) : undefined;
    if (life === undefined && time === undefined) return this.#refused(tenant);
    if (life === 0) return this.#refused(tenant);
    const fields = threadFields(state);
    const written = await this.#database.write(
      life === undefined
        ? [{ kind: "update", path, fields, ...(time && { if: { lastUpdateTime: time } }) }]
        : // The first lease of a thread: the mark of the tenant's life keeps a late one from reaching into the next life.
          [
            { kind: "create", path, fields },
            {
              kind: "update",
              path: pathOf(tenant, "log", lifeKey(life)),
              fields: { threads: this.#database.values.increment(1) },
            },
          ],
    );
    const lease = Object.freeze({ tenant, thread, fence: state.fence });
    if (written.status === "done") {
      this.#keep(tenant, thread, state, written.times[0]);
      return lease;
    }
    const [document] = await this.#database.get([path]);
    const now = threadIn(document);
    if (now?.revision === revision) return lease;
    return this.#refused(tenant);
  }

  async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { tenant, thread } = lease;
    const deadline = this.#database.deadline();
    const revision = defaultPlatform.newId();
    const path = pathOf(tenant, "threads", thread);
    const claims = claimWrites(lease, update);
    let owned: ReadonlySet<string> = new Set();
    let sight = this.#sights.get(keyOf(tenant, thread));
    for (let tries = 0; ; tries++) {
      if (sight === undefined || sight.state.fence !== lease.fence || !isForward(sight.state, update)) {
        const documents = await this.#database.get([path, ...claims.map((claim) => claim.path)], deadline);
        const state = threadIn(documents[0]);
        if (state === undefined || state.fence !== lease.fence) return { status: "fenced" };
        if (state.revision === revision) return this.#committed(lease, state, documents[0]?.updateTime);
        checkForward(state.cursors, update);
        const others = documents.slice(1).map((document) => document.data() as { thread: string; handler: string } | undefined);
        const rival = claims.findIndex((claim, index) => others[index] !== undefined && !isOwner(claim, others[index]));
        const owner = others[rival];
        if (owner !== undefined) return { status: "owned", collection: (claims[rival] as Claim).collection, ...owner };
        owned = new Set(claims.filter((_, index) => others[index] !== undefined).map((claim) => claim.path));
        sight = { state, time: documents[0]?.updateTime as UpdateTime };
      }
      const state = nextState(sight.state, update, revision);
      const written = await this.#database.write(
        [
          { kind: "update", path, fields: threadFields(state), if: { lastUpdateTime: sight.time } },
          ...claims.filter((claim) => !owned.has(claim.path)).map((claim) => claim.write),
          ...updateWrites(lease, update),
        ],
        deadline,
      );
      if (written.status === "done") return this.#committed(lease, state, written.times[0]);
      if (written.code === CODE.invalidArgument) throw storeError("to write the views", written.cause, "none");
      if (!(await pause(tries, deadline))) throw storeError("to write cursors in time", written.cause, "unknown");
      sight = undefined;
    }
  }

  /** Forgets a tenant's threads: its life has changed. */
  forget(tenant: string): void {
    this.#sights.deleteFrom(`${tenant}/`);
  }

  #see(tenant: string, thread: string, { life, firstFence }: LogState, document: DocumentSnapshot | undefined): ThreadState {
    const state = threadIn(document);
    if (state === undefined) return freeThread(life, firstFence);
    this.#keep(tenant, thread, state, document?.updateTime);
    return state;
  }

  #keep(tenant: string, thread: string, state: ThreadState, time: UpdateTime | undefined): void {
    if (time !== undefined) this.#sights.set(keyOf(tenant, thread), { state: Object.freeze(state), time });
  }

  #committed(lease: Lease, state: ThreadState, time: UpdateTime | undefined): CursorOutcome {
    this.#keep(lease.tenant, lease.thread, state, time);
    return { status: "committed" };
  }

  /** The update time of the document in the state with this revision, if it is still in it. */
  async #timeOf(tenant: string, thread: string, revision: string): Promise<UpdateTime | undefined> {
    const sight = this.#sights.get(keyOf(tenant, thread));
    if (sight?.state.revision === revision) return sight.time;
    const [document] = await this.#database.get([pathOf(tenant, "threads", thread)]);
    return threadIn(document)?.revision === revision ? document?.updateTime : undefined;
  }

  /** Another was faster, or the tenant is gone. */
  async #refused(tenant: string): Promise<undefined> {
    const status = await this.#statusOf(tenant);
    if (status !== "open" && status !== "suspended") throw new TenantError(tenant, status);
    return undefined;
  }
}

function keyOf(tenant: string, thread: string): string {
  return `${tenant}/${thread}`;
}

function nextState({ waiting: _, ...state }: ThreadState, update: CursorUpdate, revision: string): ThreadState {
  return {
    ...state,
    leasedUntil: update.leasedUntil,
    cursors: cursorsAfter(state.cursors, update),
    ...(update.waiting && { waiting: Object.freeze({ ...update.waiting }) }),
    revision,
  };
}

function isForward({ cursors }: ThreadState, update: CursorUpdate): boolean {
  try {
    checkForward(cursors, update);
    return true;
  } catch {
    return false;
  }
}

function isOwner(claim: Claim, owner: { readonly thread: string; readonly handler: string } | undefined): boolean {
  return owner?.thread === claim.thread && owner.handler === claim.handler;
}
