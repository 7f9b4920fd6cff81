import { FieldValue, type Firestore } from "@google-cloud/firestore";
import { expect } from "chai";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import type { ExportRecord, IEventStore } from "../../core/index.ts";
import { pending, receiptOf } from "../contract/pending.ts";
import { exportAll, historyOf, readAll, stream, versionOf, viewOf } from "../contract/reading.ts";
import { commits, grow, hold, moves, project } from "../contract/writing.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { preceded } from "../support/firestore-preceded.ts";
import { firestoreClient } from "../support/firestore-store.ts";
import { gate } from "../support/gate.ts";
import { eraseHeldUp } from "../support/held-up-erasure.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const COMMITS = 3;

describe("The erasure of a tenant in Firestore", function () {
  this.timeout(60_000);
  const clock = new TurnedClock();
  const options = { now: () => clock.now(), fieldValue: FieldValue };
  let client: Firestore;
  let store: IEventStore;
  let backup: readonly ExportRecord[];

  before(async function () {
    needsFirestore(this);
    client = await firestoreClient();
    store = new FirestoreEventStore(client, options);
    await store.open("source");
    await grow(store, "source", "a", COMMITS - 1, { snapshots: true });
    await commits(store, "source", pending({ id: "a", version: COMMITS - 1 }, { receipt: receiptOf("k", "a", COMMITS - 1) }));
    backup = await exportAll(store, "source");
  });
  after(async () => {
    await store?.close();
    await client?.terminate();
  });

  /** Something of each kind. */
  async function live(tenant: string, at: number): Promise<void> {
    await store.import(tenant, stream(backup));
    await commits(store, tenant, pending({ id: "b", version: 0, snapshot: { schema: 0, state: { at } } }));
    const lease = await project(store, tenant, "sums", { x: { at } }, { thread: "main", handler: "H" });
    await moves(store, lease, {
      park: [{ handler: "P", position: 1, index: 0, event: "E", attempts: 1, error: "", parkedAt: 1 }],
      leasedUntil: 0,
    });
  }

  /** A store whose batches are counted, and wait or fail at one of them. */
  function broken(at: number, happens: () => Promise<void>) {
    let sent = 0;
    const through = preceded(client, async () => {
      if (++sent >= at) await happens();
    });
    return { store: new FirestoreEventStore(through, options), isReached: () => sent >= at };
  }

  it("is finished by the next one, wherever it broke off", async () => {
    for (let at = 1, isDone = false; !isDone; at++) {
      const tenant = `dead-${at}`;
      await live(tenant, 1);
      const dead = () => Promise.reject(Object.assign(new Error("dead"), { code: 7 }));
      const dying = broken(at, dead);
      await dying.store.erase(tenant).catch(() => {});
      isDone = !dying.isReached();
      await store.erase(tenant);
      const left = await Promise.all(
        (await client.doc(`tenants/${tenant}`).listCollections()).map((kind) => kind.listDocuments()),
      );
      expect(
        left.flat().map(({ path }) => path),
        `broken off at batch ${at}`,
      ).to.deep.equal([]);
      clock.turn(2 * 60 * 60 * 1000);
      await store.open(tenant);
      expect(await versionOf(store, tenant, "a")).to.equal(-1);
    }
  });

  it("reaches into no later life of the name, wherever it was held up", async () => {
    for (let at = 1, isDone = false; !isDone; at++) {
      const tenant = `slow-${at}`;
      await live(tenant, 1);
      const [reached, passed] = [gate(), gate()];
      const slow = broken(at, async () => {
        reached.open();
        await passed.passed;
      });
      const hasClosed = await eraseHeldUp(store, { tenant, slow: slow.store, reached, passed }, () => live(tenant, 2));
      isDone = !slow.isReached();
      if (!hasClosed) continue;
      const title = `held up at batch ${at}`;
      expect((await historyOf(store, tenant, "a")).length, title).to.equal(COMMITS);
      expect((await readAll({ store, clock }, tenant)).commits.length, title).to.equal(COMMITS + 1);
      expect(await viewOf(store, tenant, "sums", "x"), title).to.deep.equal({ at: 2 });
      expect(await store.receipt(tenant, "k"), title).to.include({ commandId: "k" });
      await hold(store, tenant, "main");
    }
  });
});
