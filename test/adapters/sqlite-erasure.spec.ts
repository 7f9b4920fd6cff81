import { existsSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { type IEventStore, StoreError, TenantError } from "../../core/index.ts";
import { pending, receiptOf } from "../contract/pending.ts";
import { commits, grow, hold, moves, project } from "../contract/writing.ts";
import { rejects } from "../support/rejects.ts";
import { temporaryFolder } from "../support/sqlite-folder.ts";

/** A text that occurs nowhere but in one tenant's data. */
const SECRET = "kept-between-us";

describe("erasure and redaction in a SQLite file", () => {
  const newPath = temporaryFolder();

  it("leave no row of an erased tenant in any table but its registry entry, and every row of its neighbour", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await live(store, "gone");
    await live(store, "stays");
    const before = rowsOf(path);
    expect(Object.values(before.gone ?? {}), "rows in every table").to.not.include(0);
    await store.erase("gone");
    const after = rowsOf(path);
    expect(after.gone).to.deep.equal({ tenants: 1, aggregates: 0, commits: 0, threads: 0, parked: 0, collections: 0, views: 0 });
    expect(after.stays).to.deep.equal(before.stays);
    await store.close();
  });

  it("leave no trace of an erased tenant in the file, nor in its write-ahead log", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await live(store, "gone");
    expect(traces(path)).to.be.above(0);
    await store.erase("gone");
    expect(traces(path)).to.equal(0);
    await store.close();
    expect(traces(path)).to.equal(0);
  });

  it("leave no trace of a redacted payload, nor of older states", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await store.open("t");
    for (let version = 0; version < 300; version++) {
      const secret = { secret: `${SECRET} ${version} ${"x".repeat(version * 7)}` };
      await commits(store, "t", pending({ id: "a", version, payload: secret, snapshot: { schema: 0, state: secret } }));
    }
    expect(traces(path)).to.be.above(0);
    expect(await store.redact({ tenant: "t", type: "account", id: "a" }, () => ({ secret: "redacted" }), 5)).to.equal(300);
    expect(traces(path)).to.equal(0);
    await store.close();
  });

  it("go on where an erasure broke off; meanwhile nobody reads, opens or writes", async () => {
    const path = newPath();
    const breaking = new SqliteEventStore({ path });
    await live(breaking, "gone");
    await grow(breaking, "gone", "long", 600);
    const broken = rejects(StoreError, breaking.erase("gone"));
    await breaking.close();
    await broken;
    const rows = rowsOf(path).gone;
    expect(rows?.commits, "commits left").to.be.above(0);
    const store = new SqliteEventStore({ path });
    expect(await store.status("gone")).to.equal("erased");
    expect((await store.read("gone", 0, 1_000)).commits).to.deep.equal([]);
    await rejects(TenantError, store.open("gone"));
    await rejects(TenantError, store.commit("gone", [pending({ id: "long", version: 600 })]));
    await store.erase("gone");
    expect(rowsOf(path).gone).to.include({ tenants: 1, commits: 0, aggregates: 0 });
    await store.close();
  });

  it("let other tenants write between the steps of a long erasure", async () => {
    const store = new SqliteEventStore({ path: newPath() });
    await store.open("gone");
    await store.open("stays");
    await grow(store, "gone", "long", 1_500);
    let isErased = false;
    const erasure = store.erase("gone").then(() => {
      isErased = true;
    });
    await grow(store, "stays", "a", 3);
    expect(isErased).to.equal(false);
    await erasure;
    await store.close();
  });
});

/** Gives a tenant rows in every table. */
async function live(store: IEventStore, tenant: string): Promise<void> {
  await store.open(tenant);
  const payload = { secret: `${SECRET} ${"y".repeat(9_000)}` };
  for (let version = 0; version < 20; version++) {
    const receipt = receiptOf(`command-${version}`, "a", version);
    await commits(store, tenant, pending({ id: "a", version, payload, snapshot: { schema: 0, state: payload } }, { receipt }));
  }
  await project(store, tenant, "balances", { a: payload, b: { n: 1 } });
  const lease = await hold(store, tenant, "main");
  const parked = { handler: "H", position: 1, index: 0, event: "Changed", attempts: 3, error: SECRET, parkedAt: 1 };
  await moves(store, lease, { cursors: { H: { position: 1 } }, park: [parked] });
}

/** How many rows each tenant has in each table. */
function rowsOf(path: string): Record<string, Record<string, number>> {
  const database = new DatabaseSync(path);
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[];
  const tenants = database.prepare("SELECT no, name FROM tenants").all() as { no: number; name: string }[];
  const count = (table: string, no: number) => {
    const key = table === "tenants" ? "no" : "tenant";
    return Number(database.prepare(`SELECT count(*) AS rows FROM ${table} WHERE ${key} = ?`).get(no)?.rows);
  };
  const counted = tenants.map(({ no, name }) => [
    name,
    Object.fromEntries(tables.map((table) => [table.name, count(table.name, no)])),
  ]);
  database.close();
  return Object.fromEntries(counted);
}

/** How often the secret occurs in the files. */
function traces(path: string): number {
  const files = [path, `${path}-wal`].filter((file) => existsSync(file));
  return files.reduce((sum, file) => sum + readFileSync(file).toString("latin1").split(SECRET).length - 1, 0);
}
