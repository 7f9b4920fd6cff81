import { expect } from "chai";
import type {
  CommitOutcome,
  CursorOutcome,
  CursorUpdate,
  IViews,
  Lease,
  PendingCommit,
  ReadResult,
  Waiting,
} from "../../core/index.ts";
import { LIMITS } from "../../core/index.ts";
import { MAX_CURSOR_BYTES, MAX_CURSOR_WRITES } from "../../core/ports/threads.ts";
import { DelegatingStore } from "./delegating-store.ts";

/** The most that core sends in one call of `commit`. */
const MAX_GROUP = 100;
const MAX_GROUP_BYTES = 4 * 1024 * 1024;
/** The most ids in one read of views. */
const MAX_IDS = 100;

/** A store that fails where its caller breaks the port's preconditions: what every adapter may rely on. */
export class StrictStore extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    expect(pending.length, "commits in a group").to.be.within(1, MAX_GROUP);
    const bytes = pending.flatMap(({ writes }) => writes).reduce((sum, write) => sum + write.bytes, 0);
    if (pending.length > 1) expect(bytes, "bytes of a group").to.be.at.most(MAX_GROUP_BYTES);
    expectDisjoint(pending);
    for (const { writes, verified, command } of pending) {
      expect(writes.length, "aggregates written").to.be.within(1, LIMITS.written);
      expect(verified.length, "aggregates verified").to.be.at.most(LIMITS.verified);
      for (const write of writes) expect(write.events.length, "events").to.be.within(command === "redact" ? 0 : 1, LIMITS.events);
    }
    return this.inner.commit(tenant, pending);
  }

  override async read(tenant: string, after: number, limit: number, waiting?: Waiting): Promise<ReadResult> {
    expect(limit, "limit").to.be.within(1, 1_000);
    return this.inner.read(tenant, after, limit, waiting);
  }

  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const { views = [], park = [], unpark = [], claims = [] } = update;
    expect(views.length + park.length + unpark.length, "documents in one write").to.be.at.most(MAX_CURSOR_WRITES);
    const bytes = views.reduce((sum, { value }) => sum + Buffer.byteLength(JSON.stringify(value ?? null)), 0);
    expect(bytes, "bytes of views").to.be.at.most(MAX_CURSOR_BYTES);
    expectDistinct(
      views.map(({ collection, id }) => `${collection}/${id}`),
      "views",
    );
    expectDistinct(
      [...park, ...unpark].map(({ handler, position, index }) => `${handler}/${position}/${index}`),
      "parked events",
    );
    expectDistinct(
      claims.map(({ collection }) => collection),
      "claims",
    );
    return this.inner.commitCursors(lease, update);
  }

  override views(tenant: string, collection: string): IViews {
    const views = this.inner.views(tenant, collection);
    return {
      get: async (ids) => {
        expect(ids.length, "ids in one read").to.be.at.most(MAX_IDS);
        return views.get(ids);
      },
      list: (options) => views.list(options),
    };
  }
}

/** No two members of a group may touch the same aggregate or commandId, except by verifying only. */
function expectDisjoint(pending: readonly PendingCommit[]): void {
  expectDistinct(
    pending.flatMap(({ writes }) => writes.map(({ type, id }) => `${type}/${id}`)),
    "aggregates of a group",
  );
  expectDistinct(
    pending.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt.commandId])),
    "commandIds of a group",
  );
  const written = new Set(pending.flatMap(({ writes }) => writes.map(({ type, id }) => `${type}/${id}`)));
  for (const { type, id } of pending.flatMap(({ verified }) => verified))
    expect(written.has(`${type}/${id}`), `${type}/${id} is verified and written in one group`).to.equal(false);
}

function expectDistinct(keys: readonly string[], what: string): void {
  expect(new Set(keys).size, `distinct ${what}`).to.equal(keys.length);
}
