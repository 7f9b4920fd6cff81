import { expect } from "chai";
import { exportTenant } from "../../adapters/dynamodb/export.ts";
import { ORDER_RULES } from "../../adapters/dynamodb/order-rules.ts";
import { Budget, type Database } from "../../adapters/dynamodb/requests.ts";
import { sweep } from "../../adapters/dynamodb/sweep.ts";
import { getOpenPage, move } from "../../adapters/dynamodb/tenants.ts";
import { defaultPlatform, type ExportRecord, type IEventStore, TenantError } from "../../core/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { exportAll, historyOf, readAll, stream, viewOf } from "../contract/reading.ts";
import { commits, hold, moves, project } from "../contract/writing.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";
import { gate } from "../support/gate.ts";
import { eraseHeldUp } from "../support/held-up-erasure.ts";
import { overridden, preceded } from "../support/overridden-document.ts";
import { rejects } from "../support/rejects.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const isSealing = (method: string, input: unknown) => method === "transactWrite" && JSON.stringify(input).includes("sealed");
const isWrite = (method: string) => /^(put|update|transactWrite)$/.test(method);

/** More than a page of the order holds. */
const COMMITS = 20;

if (hasDynamoDb()) {
  describe("the sweep of an erased tenant in DynamoDB", function () {
    this.timeout(60_000);
    const clock = new TurnedClock();
    const now = () => clock.now();
    let table: DynamoDbTable;
    let store: IEventStore;
    let backup: readonly ExportRecord[];

    before(async () => {
      table = await dynamoDbTable();
      store = table.store({ now });
      await store.open("source");
      for (let version = 0; version < COMMITS; version++) {
        await commits(store, "source", pending({ id: "a", version }, { receipt: receiptOf(`k${version}`, "a", version) }));
      }
      backup = await exportAll(store, "source");
    });
    after(async () => {
      await store.close();
      table.close();
    });

    /** Commits in a full page and an open one, each with a receipt; a thread with a view. */
    async function live(tenant: string, at: number): Promise<void> {
      await store.import(tenant, stream(backup));
      await project(store, tenant, "sums", { x: { at } }, { thread: "main", handler: "H" });
    }

    it("reaches into no later life of the name, wherever it was held up", async () => {
      for (let at = 1, isDone = false; !isDone; at++) {
        const tenant = `slow-${at}`;
        await live(tenant, 1);
        const [reached, passed] = [gate(), gate()];
        let requests = 0;
        const slow = table.store({ now }, (document) =>
          preceded(document, async () => {
            if (++requests !== at) return;
            reached.open();
            await passed.passed;
          }),
        );
        const hasClosed = await eraseHeldUp(store, { tenant, slow, reached, passed }, () => live(tenant, 2));
        isDone = requests < at;
        if (!hasClosed) continue;
        const title = `held up at request ${at}`;
        expect((await historyOf(store, tenant, "a")).length, title).to.equal(COMMITS);
        expect((await readAll({ store, clock }, tenant)).commits.length, title).to.equal(COMMITS);
        expect(await viewOf(store, tenant, "sums", "x"), title).to.deep.equal({ at: 2 });
        expect(await store.receipt(tenant, "k3"), title).to.deep.equal(receiptOf("k3", "a", 3));
        await hold(store, tenant, "main");
      }
    });

    /** A store each of whose requests comes after something. */
    const storeAfter = (before: Parameters<typeof preceded>[1]) => table.store({ now }, (document) => preceded(document, before));

    it("takes along what a commit leaves that lands between its look and its write", async () => {
      await store.open("landing");
      const [reached, passed] = [gate(), gate()];
      const slow = storeAfter(async (method) => {
        if (method === "transactWrite") reached.open();
        if (method === "transactWrite") await passed.passed;
      });
      const landing = commits(slow, "landing", pending({ id: "a", version: 0 }, { receipt: receiptOf("k", "a", 0) }));
      await reached.passed;
      const sweeping = storeAfter(async (method, input) => {
        if (isSealing(method, input)) passed.open();
        if (isSealing(method, input)) await landing;
      });
      await sweeping.erase("landing");
      await store.import("landing", stream([backup[0]!, { kind: "end", commits: 0 }]));
      expect(await store.receipt("landing", "k")).to.equal(undefined);
    });

    it("shows nobody a history with a hole in it", async () => {
      await live("torn", 1);
      const [looked, reached, passed] = [gate(), gate(), gate()];
      const loader = table.store({ now }, (document) =>
        overridden(document, {
          get: (input, options) => document.get(input, options).finally(looked.open),
          query: (input, options) => reached.passed.then(() => document.query(input, options)),
        }),
      );
      const loading = loader.load({ tenant: "torn", type: TYPE, id: "a" }, { after: -1 });
      await looked.passed;
      let sealing = 0;
      const sweeping = storeAfter(async (method, input) => {
        if (!isSealing(method, input) || ++sealing !== 2) return;
        reached.open();
        await passed.passed;
      });
      const erasing = sweeping.erase("torn");
      expect((await loading).commits).to.deep.equal([]);
      passed.open();
      await erasing;
    });

    it("finds what commits have left beside them, though their neighbours are swept first", async () => {
      await live("beside", 1);
      await commits(store, "beside", pending({ id: "b", version: 0 }, { verified: [{ type: TYPE, id: "late", version: -1 }] }));
      await commits(store, "beside", pending({ id: "late", version: 0 }, { receipt: receiptOf("late", "late", 0) }));
      await store.erase("beside");
      await live("beside", 2);
      for (const id of ["k15", "k16"]) expect(await store.receipt("beside", id)).to.include({ commandId: id });
      expect(await store.receipt("beside", "late")).to.equal(undefined);
    });

    it("is finished by the next one, wherever it broke off, also where a page names more than one transaction takes", async () => {
      for (let last = 1, isDone = false; !isDone; last++) {
        const tenant = `dead-${last}`;
        await store.open(tenant);
        const group = Array.from({ length: 16 }, (_, n) => {
          const verified = Array.from({ length: 8 }, (_, m) => ({ type: TYPE, id: `v${n}-${m}`, version: -1 }));
          return pending({ id: `d${n}`, version: 0 }, { verified, receipt: receiptOf(`k${n}`, `d${n}`, 0) });
        });
        for (const { status } of await store.commit(tenant, group)) expect(status).to.equal("committed");
        let writes = 0;
        const dying = table.store({ now }, (document) =>
          preceded(document, async (method) => {
            if (isWrite(method) && ++writes > last) throw Object.assign(new Error(), { name: "ValidationException" });
          }),
        );
        isDone = await dying.erase(tenant).then(
          () => true,
          () => false,
        );
        await store.erase(tenant);
        const { Items: items = [] } = await table.document.scan({ TableName: table.table, ConsistentRead: true });
        const left = items.filter(({ pk, sk }) => String(pk).startsWith(`T#${tenant}#`) && sk !== "open");
        expect(left.filter((item) => Object.keys(item).sort().join() !== "expires,pk,sealed,sk")).to.deep.equal([]);
      }
    });

    it("leaves nothing of an import that goes on beside it", async () => {
      const [reached, passed] = [gate(), gate()];
      let writes = 0;
      const slow = table.store({ now }, (document) =>
        preceded(document, async (method) => {
          // The first page has been written; of its commits' writes the first 16 pass.
          if (!isWrite(method) || ++writes !== 2 + 16 + 1) return;
          reached.open();
          await passed.passed;
        }),
      );
      const importing = slow.import("replaced", stream(backup)).catch((error: unknown) => error);
      await Promise.race([reached.passed, importing]);
      await store.import("replaced", stream(backup));
      passed.open();
      expect(await importing).to.be.instanceOf(TenantError);
      expect((await readAll({ store, clock }, "replaced")).commits.length).to.equal(COMMITS);
    });

    it("lets no page come back that a writer was about to fill", async () => {
      for (const size of [16, 40]) {
        const tenant = `trimmed-${size}`;
        await store.open(tenant);
        const [reached, passed] = [gate(), gate()];
        const isPage = (input: unknown) => JSON.stringify(input).includes('"page#');
        const slow = table.store({ now }, (document) =>
          preceded(document, async (method, input) => {
            if (!isWrite(method) || !isPage(input)) return;
            reached.open();
            await passed.passed;
          }),
        );
        const group = Array.from({ length: size }, (_, n) => pending({ id: `p${n}`, version: 0 }));
        const committing = slow.commit(tenant, group);
        await reached.passed;
        await store.erase(tenant);
        passed.open();
        await committing;
        const { Items: items = [] } = await table.document.scan({ TableName: table.table, ConsistentRead: true });
        const left = items.filter(({ pk, sk }) => pk === `T#${tenant}#L` && sk !== "open");
        expect(left.filter(({ expires, refs }) => expires === undefined || refs !== undefined)).to.deep.equal([]);
      }
    });

    it("ends an export of the life that it swept", async () => {
      await live("exported", 1);
      const records = store.export("exported")[Symbol.asyncIterator]();
      await records.next();
      await store.erase("exported");
      await live("exported", 2);
      const error = await rejects(
        TenantError,
        (async () => {
          while ((await records.next()).done !== true);
        })(),
      );
      expect(error.status).to.equal("open");
    });

    it("takes as long as there are items, and so does an export that somebody reads slowly", async () => {
      await live("large", 1);
      const views = Object.fromEntries(Array.from({ length: 5 }, (_, n) => [`x${n}`, { n }]));
      const lease = await project(store, "large", "sums", views, { thread: "main", handler: "H" });
      const park = Array.from({ length: 5 }, (_, index) => {
        return { handler: "P", position: 1, index, event: "E", attempts: 1, error: "", parkedAt: 1 };
      });
      await moves(store, lease, { cursors: { P: { position: 1 } }, park, leasedUntil: 0 });
      let elapsed = 0;
      const document = overridden(table.document, {
        query: (input, options) => table.document.query({ ...input, Limit: 1 }, options),
        transactWrite: (input, options) => {
          elapsed += 3_000;
          return table.document.transactWrite(input, options);
        },
      });
      const database: Database = { document, table: table.table, platform: defaultPlatform, stopwatch: () => elapsed };
      const kinds: string[] = [];
      for await (const { kind } of exportTenant(database, { rules: ORDER_RULES, graceMs: 0, now }, "large")) {
        kinds.push(kind);
        elapsed += 10_000;
      }
      expect(kinds.filter((kind) => kind === "parked").length).to.equal(5);
      const closing = { status: "erased", erasedAt: now(), isSwept: false, importId: "" } as const;
      await move(new Budget(database), "large", await getOpenPage(new Budget(database), "large"), closing);
      const closed = await getOpenPage(new Budget(database), "large");
      if (closed !== undefined) await sweep(database, "large", closed);
      expect((await getOpenPage(new Budget(database), "large"))?.isSwept).to.equal(true);
    });
  });
}
