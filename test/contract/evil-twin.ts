import { expect } from "chai";
import type {
  Cursor,
  CursorUpdate,
  IEventStore,
  JsonObject,
  Lease,
  ParkedEvent,
  ParkedKey,
  PendingCommit,
} from "../../core/index.ts";
import { MAX_CURSOR_WRITES } from "../../core/ports/threads.ts";
import type { Ground } from "./clause.ts";
import { listAll, loadWhole, parkedAll, readAll } from "./reading.ts";
import { type Known, twinCommit } from "./twin-commit.ts";
import { expectStatus, hold, LEASED_UNTIL, moves, viewWrites } from "./writing.ts";

/** How many commits the twin makes on one aggregate, however many the clause makes. */
const ENOUGH = 2;
const THREAD = "twin-thread";

interface Held {
  readonly lease: Lease;
  readonly cursors: Record<string, Cursor>;
  readonly parked: Map<string, ParkedEvent>;
}

/** A second tenant that takes on the names a clause uses, just before the clause does, and knows what it must still hold at the end. */
export class EvilTwin {
  readonly #store: IEventStore;
  readonly #clock: Ground["clock"];
  readonly #tenant: string;
  readonly #aggregates = new Map<string, Known & { readonly version: number }>();
  readonly #commits = new Map<string, PendingCommit>();
  readonly #receipts = new Map<string, PendingCommit>();
  readonly #threads = new Map<string, Held>();
  readonly #owners = new Map<string, Held>();
  readonly #views = new Map<string, Map<string, JsonObject>>();
  #turn: Promise<void> = Promise.resolve();

  constructor(store: IEventStore, tenant: string, clock: Ground["clock"]) {
    this.#store = store;
    this.#tenant = tenant;
    this.#clock = clock;
  }

  /** Does the same on the same aggregates, with the same commitId and commandId and other contents. */
  commits(group: readonly PendingCommit[]): Promise<void> {
    return this.#inTurn(async () => {
      const verified = new Map(group.flatMap((commit) => commit.verified).map((known) => [`${known.type}/${known.id}`, known]));
      await this.#stand([...verified.values()]);
      await this.#send(group.map((commit) => this.#copyOf(commit)));
    });
  }

  /** Has commits of this aggregate. */
  stands(type: string, id: string): Promise<void> {
    return this.#inTurn(() => this.#stand([{ type, id }]));
  }

  /** Has carried out this commandId. */
  answers(commandId: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#receipts.has(commandId)) return;
      await this.#send([this.#make([{ type: "twin", id: `receipt ${this.#receipts.size}` }], undefined, commandId)]);
    });
  }

  /** Has a thread of this name, at a fence of its own. */
  threads(thread: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#hold(thread);
    });
  }

  /** Has handlers, views, claims and parked events of the same names in a thread of the same name. */
  moves(thread: string, update: CursorUpdate): Promise<void> {
    return this.#inTurn(async () => {
      const held = await this.#hold(thread);
      await this.#place(held, Object.keys(update.cursors));
      for (const { collection, handler } of update.claims ?? []) await this.#own(held, collection, handler);
      const views = update.views ?? [];
      for (const collection of new Set(views.map((view) => view.collection))) {
        const shown = views.filter((view) => view.collection === collection);
        await this.#show(
          collection,
          shown.map(({ id }) => id),
        );
      }
      await this.#park(held, [...(update.park ?? []), ...(update.unpark ?? [])]);
    });
  }

  /** Has views with the same ids. */
  shows(collection: string, ids: readonly string[]): Promise<void> {
    return this.#inTurn(() => this.#show(collection, ids));
  }

  /** Fails unless the tenant holds exactly what was put there. */
  async check(): Promise<void> {
    await this.#turn;
    expect(await this.#store.status(this.#tenant), "twin's status").to.equal("open");
    await this.#checkCommits();
    await this.#checkThreads();
    for (const [collection, views] of this.#views) {
      const listed = await listAll(this.#store, this.#tenant, collection);
      expect(Object.fromEntries(listed.map(({ id, value }) => [id, value])), "twin's views").to.deep.equal(
        Object.fromEntries(views),
      );
      expect(listed.length, "twin's number of views").to.equal(views.size);
    }
  }

  async #checkCommits(): Promise<void> {
    const order = await readAll({ store: this.#store, clock: this.#clock }, this.#tenant);
    const found = order.commits.map(({ type, id, version, commitId, events, receipt }) => ({
      type,
      id,
      version,
      commitId,
      events,
      receipt,
    }));
    const expected = [...this.#commits.values()].flatMap(({ writes, commitId, receipt }) =>
      writes.map(({ type, id, version, events }, index) => ({
        ...{ type, id, version, commitId, events },
        receipt: index === 0 ? receipt : undefined,
      })),
    );
    expect(found, "twin's commits").to.have.deep.members(expected);
    for (const { type, id, version } of this.#aggregates.values()) {
      const address = { tenant: this.#tenant, type, id };
      expect((await loadWhole(this.#store, address)).version, "twin's version").to.equal(version);
      const { snapshot } = await this.#store.load(address);
      if (snapshot !== undefined)
        expect(snapshot.state, "twin's snapshot").to.deep.equal({ twin: `${type}/${id}`, version: snapshot.version });
    }
    for (const [commandId, { receipt }] of this.#receipts)
      expect(await this.#store.receipt(this.#tenant, commandId), "twin's receipt").to.deep.equal(receipt);
  }

  async #checkThreads(): Promise<void> {
    for (const [name, { lease, cursors, parked }] of this.#threads) {
      const { thread } = await this.#store.peek(this.#tenant, name);
      expect(thread.fence, "twin's fence").to.equal(lease.fence);
      expect(thread.leasedUntil, "twin's lease").to.equal(LEASED_UNTIL);
      expect(thread.cursors, "twin's cursors").to.deep.equal(cursors);
      expect(await parkedAll(this.#store, this.#tenant, name), "twin's parked events").to.have.deep.members([...parked.values()]);
    }
  }

  /** The twin's own version of a commit; undefined where it has enough of these aggregates, or has the commit. */
  #copyOf({ commitId, writes, receipt }: PendingCommit): PendingCommit | undefined {
    if (this.#commits.has(commitId)) return undefined;
    const wanted = writes.filter(({ type, id }) => this.#versionOf(type, id) < ENOUGH - 1);
    const commandId = receipt === undefined || this.#receipts.has(receipt.commandId) ? undefined : receipt.commandId;
    if (wanted.length === 0 && commandId === undefined) return undefined;
    return this.#make(wanted.length > 0 ? wanted : writes.slice(0, 1), commitId, commandId);
  }

  #make(targets: readonly Known[], commitId?: string, commandId?: string): PendingCommit {
    const writes = targets.map(({ type, id }) => ({ type, id, version: this.#versionOf(type, id) + 1 }));
    return twinCommit(writes, commitId, commandId);
  }

  async #send(group: readonly (PendingCommit | undefined)[]): Promise<void> {
    const wanted = group.filter((commit) => commit !== undefined);
    if (wanted.length === 0) return;
    const outcomes = await this.#store.commit(this.#tenant, wanted);
    for (const [index, commit] of wanted.entries()) {
      expectStatus(outcomes[index], "committed");
      this.#commits.set(commit.commitId, commit);
      if (commit.receipt !== undefined) this.#receipts.set(commit.receipt.commandId, commit);
      for (const { type, id, version } of commit.writes) this.#aggregates.set(`${type}/${id}`, { type, id, version });
    }
  }

  #versionOf(type: string, id: string): number {
    return this.#aggregates.get(`${type}/${id}`)?.version ?? -1;
  }

  async #stand(known: readonly Known[]): Promise<void> {
    await this.#send(known.filter(({ type, id }) => this.#versionOf(type, id) < 0).map((target) => this.#make([target])));
  }

  async #hold(thread: string): Promise<Held> {
    const known = this.#threads.get(thread);
    if (known !== undefined) return known;
    const held: Held = { lease: await hold(this.#store, this.#tenant, thread), cursors: {}, parked: new Map() };
    this.#threads.set(thread, held);
    return held;
  }

  async #place(held: Held, handlers: readonly string[]): Promise<void> {
    const added = handlers
      .filter((handler) => !Object.hasOwn(held.cursors, handler))
      .map((handler) => [handler, { position: 1 }]);
    if (added.length === 0) return;
    await moves(this.#store, held.lease, { cursors: Object.fromEntries(added) });
    Object.assign(held.cursors, Object.fromEntries(added));
  }

  async #own(held: Held, collection: string, handler: string): Promise<void> {
    if (this.#owners.has(collection)) return;
    held.cursors[handler] = { position: 1, collection };
    await moves(this.#store, held.lease, {
      cursors: { [handler]: { position: 1, collection } },
      claims: [{ collection, handler }],
    });
    this.#owners.set(collection, held);
    this.#views.set(collection, new Map());
  }

  async #show(collection: string, ids: readonly string[]): Promise<void> {
    if (!this.#owners.has(collection)) await this.#own(await this.#hold(THREAD), collection, `Twin-${this.#owners.size}`);
    const shown = this.#views.get(collection)!;
    const added = ids.filter((id) => !shown.has(id)).map((id): [string, JsonObject] => [id, { twin: id }]);
    for (let start = 0; start < added.length; start += MAX_CURSOR_WRITES) {
      const part = Object.fromEntries(added.slice(start, start + MAX_CURSOR_WRITES));
      await moves(this.#store, this.#owners.get(collection)!.lease, { views: viewWrites(collection, part) });
    }
    for (const [id, value] of added) shown.set(id, value);
  }

  async #park(held: Held, keys: readonly ParkedKey[]): Promise<void> {
    const added = new Map<string, ParkedEvent>();
    for (const { handler, position, index } of keys) {
      const key = `${handler}/${position}/${index}`;
      if (!held.parked.has(key))
        added.set(key, { handler, position, index, event: "Twin", attempts: 1, error: "twin", parkedAt: 1 });
    }
    if (added.size === 0) return;
    await moves(this.#store, held.lease, { park: [...added.values()] });
    for (const [key, parked] of added) held.parked.set(key, parked);
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(task);
    return this.#turn;
  }
}
