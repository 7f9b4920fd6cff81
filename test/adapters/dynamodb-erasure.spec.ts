import { expect } from "chai";
import type { IDocument } from "../../adapters/dynamodb/index.ts";
import { Err, type ExportRecord, type IEventStore, TenantError } from "../../core/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { exportAll, historyOf, readAll, stream, versionOf, viewOf } from "../contract/reading.ts";
import { commits, expectStatus, grow, hold, moves, project, send } from "../contract/writing.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";
import { gate } from "../support/gate.ts";
import { overridden } from "../support/overridden-document.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";

/** A text that occurs nowhere but in one tenant's data. */
const SECRET = "kept-between-us";
const HOUR_MS = 60 * 60 * 1000;

if (hasDynamoDb()) {
  describe("erasure and redaction in a DynamoDB table", function () {
    this.timeout(60_000);
    const clock = new TurnedClock();
    const now = () => clock.now();
    let table: DynamoDbTable;
    let store: IEventStore;
    let backup: readonly ExportRecord[] = [];

    beforeEach(async () => {
      table = await dynamoDbTable();
      store = table.store({ now });
    });
    afterEach(async () => {
      await store.close();
      table.close();
    });

    /** Everything in the table that holds a text. */
    async function itemsWith(text: string): Promise<readonly Record<string, unknown>[]> {
      const { Items: items = [] } = await table.document.scan({ TableName: table.table, ConsistentRead: true });
      return items.filter((item) => JSON.stringify(item).includes(text));
    }

    /** Something of each kind: commits in full pages and not, receipts, verified and voided versions, snapshots, views, parked events. */
    async function live(tenant: string): Promise<void> {
      await store.open(tenant);
      const payload = { secret: SECRET };
      for (let version = 0; version < 20; version++) {
        await commits(store, tenant, pending({ id: "a", version, payload, snapshot: { schema: 0, state: { secret: SECRET } } }));
      }
      const verified = [
        { type: TYPE, id: "nobody", version: -1 },
        { type: TYPE, id: "a", version: 19 },
      ];
      await commits(store, tenant, pending({ id: "b", version: 0, payload }, { verified, receipt: receiptOf(SECRET, "b", 0) }));
      const lease = await project(store, tenant, "sums", { x: { secret: SECRET } }, { thread: "main", handler: "H" });
      await moves(store, lease, {
        park: [{ handler: "H", position: 1, index: 0, event: "E", attempts: 1, error: SECRET, parkedAt: 1 }],
      });
    }

    it("leave of an erased tenant its name and keys that expire within a day, and of its neighbour everything", async () => {
      await live("gone");
      await live("stays");
      const before = await itemsWith("T#stays#");
      await store.erase("gone");
      expect((await itemsWith("T#gone#")).filter((item) => JSON.stringify(item).includes(SECRET))).to.deep.equal([]);
      const left = (await itemsWith("T#gone#")).filter(({ sk }) => sk !== "open");
      expect(left.length).to.be.above(0);
      for (const { pk: _, sk: __, sealed, expires, ...rest } of left) {
        expect(rest).to.deep.equal({});
        expect(sealed).to.equal(21);
        expect(Number(expires) * 1_000 - now()).to.be.within(0, 25 * HOUR_MS);
      }
      const keys = new Set(left.map(({ pk, sk }) => `${pk} ${sk}`));
      expect(keys).to.include("T#gone#A#account#nobody commit#0000000000000000");
      expect(await itemsWith("T#stays#")).to.have.deep.members(before);
    });

    it("finish an erasure that broke off at any of its writes", async () => {
      for (let last = 1; ; last++) {
        const tenant = `broken-${last}`;
        await live(tenant);
        let writes = 0;
        const breaking = table.store({ now }, (document) => dyingAt(document, () => ++writes > last));
        const isDone = await breaking.erase(tenant).then(
          () => true,
          () => false,
        );
        expect(await store.status(tenant)).to.equal(writes === 0 ? "open" : "erased");
        await store.erase(tenant);
        expect((await itemsWith(`T#${tenant}#`)).filter((item) => JSON.stringify(item).includes(SECRET))).to.deep.equal([]);
        clock.turn(2 * HOUR_MS);
        await store.open(tenant);
        expect(await versionOf(store, tenant, "a")).to.equal(-1);
        expect((await hold(store, tenant, "main")).fence).to.be.above(1);
        if (isDone) return;
      }
    });

    for (const [what, comesBack] of [
      ["is open again", (tenant: string) => store.open(tenant)],
      ["was imported", (tenant: string) => store.import(tenant, stream(backup))],
    ] as const) {
      it(`let no late write of an earlier life through when the tenant ${what}`, async () => {
        await store.open("t");
        await grow(store, "t", "kept", 2);
        backup = await exportAll(store, "t");
        const lease = await hold(store, "t", "main");
        const late = [held(pending({ id: "late", version: 0, snapshot: { schema: 0, state: { late: true } } }), "put")];
        late.push(held(pending({ id: "late2", version: 0 }, { receipt: receiptOf("k", "late2", 0) }), "transactWrite"));
        await Promise.all(late.map(({ isWriting }) => isWriting));
        await store.erase("t");
        clock.turn(2 * HOUR_MS);
        await comesBack("t");
        for (const { letGo, outcome } of late) {
          letGo();
          // Its place is void, and there is none for it in the new life.
          expectStatus(await outcome, "reborn");
        }
        expect(await store.commitCursors(lease, { cursors: { H: { position: 1 } }, leasedUntil: 0 })).to.deep.equal({
          status: "fenced",
        });
        const { commits: order } = await readAll({ store, clock }, "t");
        expect(order.map(({ id }) => id)).to.deep.equal(what === "was imported" ? ["kept", "kept"] : []);
        expect((await store.load({ tenant: "t", type: TYPE, id: "kept" })).commits.length).to.equal(
          what === "was imported" ? 2 : 0,
        );
      });
    }
    it("let the very write of an earlier life, sent again by a network, change nothing", async () => {
      await store.open("t");
      const puts: Parameters<IDocument["put"]>[0][] = [];
      const recording = table.store({ now }, (document) =>
        overridden(document, {
          put: (input) => {
            puts.push(input);
            return document.put(input);
          },
        }),
      );
      await grow(recording, "t", "a", 3, { snapshots: true });
      await recording.redact({ tenant: "t", type: TYPE, id: "a" }, () => ({}), 5);
      await store.erase("t");
      clock.turn(2 * HOUR_MS);
      await store.open("t");
      for (const put of puts)
        await table.document.put(put).catch((error: Error) => expect(error.name).to.equal("ConditionalCheckFailedException"));
      expect(await historyOf(store, "t", "a")).to.deep.equal([]);
      expect((await store.load({ tenant: "t", type: TYPE, id: "a" })).snapshot).to.equal(undefined);
      await grow(store, "t", "a", 2, { snapshots: true });
      expect((await store.load({ tenant: "t", type: TYPE, id: "a" })).snapshot?.version).to.equal(1);
    });

    it("let no snapshot of an earlier life through that comes so late, also where a redaction has dropped one since", async () => {
      await store.open("t");
      const late: Parameters<IDocument["put"]>[0][] = [];
      const put: IDocument["put"] = async (input) =>
        input.Item.sk === "snapshot" ? late.push(input) && {} : table.document.put(input);
      const slow = table.store({ now }, (document) => overridden(document, { put }));
      for (const id of ["a", "b"]) await grow(slow, "t", id, 3, { snapshots: true });
      await store.erase("t");
      clock.turn(2 * HOUR_MS);
      await store.open("t");
      await grow(store, "t", "b", 1);
      await store.redact({ tenant: "t", type: TYPE, id: "b" }, () => ({}), 5);
      expect(late).to.have.length(6);
      for (const put of late) await rejects(Error, table.document.put(put));
      expect(await versionOf(store, "t", "a")).to.equal(-1);
      expect(await versionOf(store, "t", "b")).to.equal(0);
    });

    it("let no late snapshot bring back what was redacted", async () => {
      await store.open("t");
      const puts: Parameters<IDocument["put"]>[0][] = [];
      const recording = table.store({ now }, (document) =>
        overridden(document, {
          put: (input) => {
            puts.push(input);
            return document.put(input);
          },
        }),
      );
      await commits(
        recording,
        "t",
        pending({ id: "a", version: 0, payload: { secret: SECRET }, snapshot: { schema: 0, state: { secret: SECRET } } }),
      );
      await store.redact({ tenant: "t", type: TYPE, id: "a" }, () => ({ secret: "" }), 5);
      for (const put of puts) await rejects(Error, table.document.put(put));
      expect(await itemsWith(SECRET)).to.deep.equal([]);
    });

    it("stop an import when another one takes its place, which then is whole", async () => {
      await store.open("from");
      await grow(store, "from", "a", 40);
      const records = await exportAll(store, "from");
      const holding = gate();
      async function* slowly() {
        yield* records.slice(0, 30);
        await holding.passed;
        yield* records.slice(30);
      }
      const first = store.import("to", slowly());
      while ((await store.status("to")) !== "importing") await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await store.import("to", stream(records));
      holding.open();
      const error = await rejects(TenantError, first);
      expect(Err.is(error, "tenant")).to.equal(true);
      expect((await historyOf(store, "to", "a")).length).to.equal(40);
      expect((await readAll({ store, clock }, "to")).commits.length).to.equal(40);
      expect(await viewOf(store, "to", "sums", "x")).to.equal(undefined);
    });

    /** Sends a commit whose write is held up until it is let go. */
    function held(commit: ReturnType<typeof pending>, method: "put" | "transactWrite") {
      const sending = gate();
      const answering = gate();
      let isFirst = true;
      const slow = table.store({ now }, (document) => {
        const send = document[method] as (input: unknown) => Promise<never>;
        const wait = async (input: unknown) => {
          if (isFirst) {
            isFirst = false;
            sending.open();
            await answering.passed;
          }
          return send.call(document, input);
        };
        return overridden(document, { [method]: wait });
      });
      return { outcome: send(slow, "t", commit), isWriting: sending.passed, letGo: answering.open };
    }

    /** A client whose process dies at a write: nothing is sent any more. */
    function dyingAt(document: IDocument, isDead: () => boolean): IDocument {
      const dead = Object.assign(new Error("dead"), { name: "ValidationException" });
      const unlessDead = <Input, Output>(send: (input: Input) => Promise<Output>) => {
        return async (input: Input): Promise<Output> => {
          if (isDead()) throw dead;
          return send.call(document, input);
        };
      };
      return overridden(document, {
        put: unlessDead(document.put),
        update: unlessDead(document.update),
        transactWrite: unlessDead(document.transactWrite),
      });
    }
  });
}
