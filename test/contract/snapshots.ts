import { expect } from "chai";
import type { IEventStore, Snapshot } from "../../core/index.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import type { Facet } from "./clause.ts";
import { pending, TYPE } from "./pending.ts";
import { loadWhole, versionOf } from "./reading.ts";
import { commits, expectStatus, grow, send } from "./writing.ts";

/** A snapshot of two megabytes: more than an item or document of some stores holds. */
const TOO_LARGE = { schema: 0, state: { text: "x".repeat(2 * 1024 * 1024) } };

async function snapshotOf(store: IEventStore, tenant: string, id: string, type = TYPE): Promise<Snapshot | undefined> {
  await loadWhole(store, { tenant, type, id });
  return (await store.load({ tenant, type, id })).snapshot;
}

/** What a store promises of snapshots: a cache that may be missing and is never wrong. */
export const snapshots: Facet = {
  name: "snapshots",
  clauses: [
    {
      title: "has none where none was given",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 3);
        const { snapshot, commits: history } = await store.load({ tenant, type: TYPE, id: "a" });
        expect(snapshot).to.equal(undefined);
        expect(history.map(({ version }) => version)).to.deep.equal([0, 1, 2]);
      },
    },
    {
      title: "keeps some of ten snapshots, so that loading need not begin at the start",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 10, { snapshots: true });
        expect((await store.load({ tenant, type: TYPE, id: "a" })).commits.length).to.be.below(10);
      },
    },
    {
      title: "gives each snapshot the state and schema of its own version",
      check: async ({ store, tenant }) => {
        for (let version = 0; version < 8; version++) {
          const snapshot = { schema: version % 3, state: { at: version } };
          await commits(store, tenant, pending({ id: "a", version, snapshot }));
          const kept = await snapshotOf(store, tenant, "a");
          if (kept !== undefined)
            expect(kept).to.deep.equal({ version: kept.version, schema: kept.version % 3, state: { at: kept.version } });
          expect(await versionOf(store, tenant, "a")).to.equal(version);
        }
      },
    },
    {
      title: "loads every commit after a snapshot that was made now and then",
      check: async ({ store, tenant }) => {
        for (let version = 0; version < 10; version++) {
          const snapshot = version % 4 === 3 ? { snapshot: { schema: 0, state: { at: version } } } : {};
          await commits(store, tenant, pending({ id: "a", version, payload: { n: version }, ...snapshot }));
          const loaded = await store.load({ tenant, type: TYPE, id: "a" });
          expect(await versionOf(store, tenant, "a")).to.equal(version);
          expect(((loaded.snapshot?.version ?? 3) + 1) % 4).to.equal(0);
          for (const commit of loaded.commits) expect(commit.events[0]!.payload).to.deep.equal({ n: commit.version });
        }
      },
    },
    {
      title: "never lets an older snapshot take a newer one's place",
      check: async ({ store, tenant }) => {
        const grown = await grow(store, tenant, "a", 6, { snapshots: true });
        let newest = (await snapshotOf(store, tenant, "a"))?.version ?? -1;
        for (const version of [0, 3, 1, 4, 2]) {
          expectStatus(await send(store, tenant, grown[version]!), "committed");
          const kept = (await snapshotOf(store, tenant, "a"))?.version ?? -1;
          expect(kept).to.be.at.least(newest);
          newest = kept;
        }
        expect(await versionOf(store, tenant, "a")).to.equal(5);
      },
    },
    {
      title: "takes no snapshot from a commit that conflicts",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 2);
        await grow(store, tenant, "b", 1);
        const lost = { schema: 9, state: { lost: true } };
        const writes = [
          { id: "a", version: 2, snapshot: lost },
          { id: "b", version: 0, snapshot: lost },
        ];
        expectStatus(await send(store, tenant, pending(writes)), "conflict");
        expectStatus(await send(store, tenant, pending({ id: "a", version: 1, snapshot: lost })), "conflict");
        expect(await snapshotOf(store, tenant, "a")).to.equal(undefined);
        expect(await snapshotOf(store, tenant, "b")).to.equal(undefined);
      },
    },
    {
      title: "does not fail a commit whose snapshot is too large to keep",
      check: async ({ store, tenant }) => {
        await grow(store, tenant, "a", 2, { snapshots: true });
        await commits(store, tenant, pending({ id: "a", version: 2, snapshot: TOO_LARGE }));
        expect(await versionOf(store, tenant, "a")).to.equal(2);
        const kept = await snapshotOf(store, tenant, "a");
        if (kept?.version === 2) expect(kept.state).to.deep.equal(TOO_LARGE.state);
        await grow(store, tenant, "a", 1, { version: 3 });
        expect(await versionOf(store, tenant, "a")).to.equal(3);
      },
    },
    {
      title: "does not fail the neighbours of a snapshot that is too large to keep",
      check: async ({ store, tenant }) => {
        const outcomes = await store.commit(tenant, [
          pending({ id: "a", version: 0 }),
          pending({ id: "b", version: 0, snapshot: TOO_LARGE }),
          pending({ id: "c", version: 0 }),
        ]);
        expect(outcomes.map(({ status }) => status)).to.deep.equal(["committed", "committed", "committed"]);
        for (const id of ["a", "b", "c"]) expect(await versionOf(store, tenant, id)).to.equal(0);
      },
    },
    {
      title: "keeps the snapshots of one commit's aggregates apart",
      check: async ({ store, tenant }) => {
        for (let version = 0; version < 5; version++) {
          const writes = ["a", "b"].map((id) => ({ id, version, snapshot: { schema: 0, state: { id, version } } }));
          await commits(
            store,
            tenant,
            pending([...writes, { id: "a", type: "loan", version, snapshot: { schema: 0, state: { loan: version } } }]),
          );
        }
        for (const id of ["a", "b"]) {
          const kept = await snapshotOf(store, tenant, id);
          if (kept !== undefined) expect(kept.state).to.deep.equal({ id, version: kept.version });
        }
        const loan = await snapshotOf(store, tenant, "a", "loan");
        if (loan !== undefined) expect(loan.state).to.deep.equal({ loan: loan.version });
      },
    },
    {
      title: "keeps whole histories where eight write snapshots of one aggregate at once",
      check: async ({ store, tenant }) => {
        const grown = await grow(store, tenant, "a", 4, { snapshots: true });
        const next = await grow(store, tenant, "a", 4, { version: 4, snapshots: true });
        await Promise.all([...grown, ...next].map((commit) => send(store, tenant, commit)));
        const kept = await snapshotOf(store, tenant, "a");
        if (kept !== undefined) expect(kept.state).to.deep.equal({ at: kept.version });
        expect(await versionOf(store, tenant, "a")).to.equal(7);
      },
    },
    {
      title: "returns frozen snapshots",
      check: async ({ store, tenant }) => {
        const snapshot = { schema: 0, state: { list: [{ deep: 1 }] } };
        for (let version = 0; version < 10; version++) await commits(store, tenant, pending({ id: "a", version, snapshot }));
        const kept = await snapshotOf(store, tenant, "a");
        expect(kept !== undefined && isDeepFrozen(kept)).to.equal(true);
      },
    },
  ],
};
