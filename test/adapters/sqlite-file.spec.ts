import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "chai";
import { Client } from "../../adapters/sqlite/client.ts";
import { translate } from "../../adapters/sqlite/failure.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { CommandHandler, type ExportRecord, type StoredEvent, StoreError, TenantError } from "../../core/index.ts";
import { pending } from "../contract/pending.ts";
import { exportAll, stream } from "../contract/reading.ts";
import { tellerOf, WALLET, Wallet } from "../contract/wallet.ts";
import { grow } from "../contract/writing.ts";
import { rejects } from "../support/rejects.ts";
import { temporaryFolder } from "../support/sqlite-folder.ts";
import { thrown } from "../support/thrown.ts";

describe("a SQLite file", () => {
  const newPath = temporaryFolder();

  // A killed process loses nothing that the system has; only a machine that goes down does, and that no test can do.
  it("has a write-ahead log, and waits for the disk at each commit", () => {
    const client = new Client(newPath(), 1_000);
    const setting = (name: string) => Object.values(client.query<object>(`PRAGMA ${name}`).get() ?? {})[0];
    const FULL = 2;
    expect([setting("journal_mode"), setting("synchronous")]).to.deep.equal(["wal", FULL]);
    client.close();
  });

  it("of a newer Evenant is refused, and stays as it is", async () => {
    const path = newPath();
    await new SqliteEventStore({ path }).close();
    change(path, "PRAGMA user_version = 2");
    const error = thrown(StoreError, () => new SqliteEventStore({ path }));
    expect(error).to.include({ retryable: false, outcome: "none" });
    expect(error.message).to.include("install a newer one");
    expect(change(path, "PRAGMA user_version")).to.deep.equal({ user_version: 2 });
  });

  it("of another application is refused", () => {
    const path = newPath();
    change(path, "CREATE TABLE theirs (x)");
    expect(thrown(StoreError, () => new SqliteEventStore({ path })).message).to.include("another application");
  });

  it("that is no database is refused", () => {
    const path = newPath();
    writeFileSync(path, "no database at all, but long enough to be read as the header of one".repeat(20));
    expect(thrown(StoreError, () => new SqliteEventStore({ path })).message).to.include("no SQLite database");
  });

  it("in a folder that is not there is refused", () => {
    const path = join(newPath("missing"), "store.db");
    const error = thrown(StoreError, () => new SqliteEventStore({ path }));
    expect(error.message).to.include("create its folder");
    expect(error.cause).to.be.an("error");
  });

  it("that is damaged is told as such, not as a conflict", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await store.open("t");
    await grow(store, "t", "a", 50);
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096);
    writeFileSync(path, bytes);
    const damaged = new SqliteEventStore({ path });
    const error = await rejects(StoreError, damaged.commit("t", [pending({ id: "a", version: 50 })]));
    expect(error).to.include({ retryable: false, outcome: "none" });
    expect(error.message).to.include("restore it from a backup");
    await rejects(StoreError, damaged.load({ tenant: "t", type: "account", id: "a" }));
    await damaged.close();
  });

  it("without room or without the right to write is told as such", () => {
    const full = thrown(Error, () =>
      change(newPath(), "PRAGMA max_page_count = 2; CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x)"),
    );
    expect(translate(full, "p")).to.be.instanceOf(StoreError).and.include({ retryable: true, outcome: "none" });
    expect((translate(full, "p") as Error).message).to.include("free some space");
    const path = newPath();
    change(path, "CREATE TABLE a (x)");
    const readOnly = thrown(Error, () => change(path, "CREATE TABLE b (x)", true));
    expect(translate(readOnly, "p")).to.be.instanceOf(StoreError).and.include({ retryable: false });
    expect((translate(readOnly, "p") as Error).message).to.include("the right to write");
  });

  it("answers nothing once its store is closed, and finishes what came before", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await store.open("t");
    const last = grow(store, "t", "a", 1);
    await store.close();
    await store.close();
    await last;
    const calls = [
      store.commit("t", [pending({ id: "a", version: 1 })]),
      store.load({ tenant: "t", type: "account", id: "a" }),
      store.peek("t", "main"),
      store.erase("t"),
      exportAll(store, "t"),
    ];
    for (const call of calls) {
      const error = await rejects(StoreError, call);
      expect(error).to.include({ retryable: false, outcome: "none" });
      expect(error.message).to.include("is closed");
    }
  });

  it("takes what several tenants write in one turn together, and refuses one tenant alone", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    const tenants = ["a", "b", "c"];
    for (const tenant of tenants) await store.open(tenant);
    const before = frames(path);
    const refused = store.commit("absent", [pending({ id: "x", version: 0 })]);
    const broken = store.redact({ tenant: "d", type: "account", id: "x" }, () => ({}), 1);
    // Together on purpose: they are to share a transaction.
    const outcomes = await Promise.all(tenants.map((tenant) => store.commit(tenant, [pending({ id: "x", version: 0 })])));
    expect(outcomes.flat().map(({ status }) => status)).to.deep.equal(["committed", "committed", "committed"]);
    expect((await rejects(TenantError, refused)).status).to.equal("absent");
    expect(await broken).to.equal(0);
    expect(commitFramesAfter(path, before), "transactions").to.equal(1);
    await store.close();
  });

  it("lets a redactor that throws fail alone", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    for (const tenant of ["a", "b"]) await store.open(tenant);
    await grow(store, "a", "x", 2);
    const mistake = new TypeError("the redactor's own");
    const earlier = store.commit("b", [pending({ id: "x", version: 0 })]);
    const redaction = store.redact({ tenant: "a", type: "account", id: "x" }, () => thrower(mistake), 1);
    const later = store.commit("b", [pending({ id: "y", version: 0 })]);
    expect(await rejects(TypeError, redaction)).to.equal(mistake);
    expect((await earlier)[0])
      .to.include({ status: "committed" })
      .and.deep.include({ positions: [1] });
    expect((await later)[0])
      .to.include({ status: "committed" })
      .and.deep.include({ positions: [2] });
    await store.close();
  });

  it("is left as it was by a redactor that throws, also behind more commits than one transaction rewrites", async () => {
    const store = new SqliteEventStore({ path: newPath() });
    const [last, place] = [
      1_000,
      { type: WALLET, id: "w", commitId: "c", command: "Deposit", actor: { id: "ada", name: "Ada" } },
    ];
    const records = Array.from({ length: last + 1 }, (_, version): ExportRecord => {
      const events = [{ name: "Paid", payload: { amount: version }, schemaVersion: 0 }];
      return { kind: "commit", position: version + 1, commit: { ...place, version, events, at: 1 } };
    });
    const tenant = { kind: "tenant", format: 1, tenant: "t" } as const;
    await store.import("t", stream([tenant, ...records, { kind: "end", commits: records.length }]));
    const handler = new CommandHandler(store, [Wallet]);
    const breaking = ({ payload }: StoredEvent) => (payload.amount === last ? thrower(new Error("no such person")) : {});
    await rejects(Error, handler.redact("t", Wallet, "w", breaking));
    expect((await handler.load(tellerOf("t"), Wallet, "w"))?.balance).to.equal((last * (last + 1)) / 2);
    await store.close();
  });

  it("keeps a snapshot of an aggregate as new as its newest snapshot, where a commit brings none", async () => {
    const path = newPath();
    const store = new SqliteEventStore({ path });
    await store.open("t");
    await grow(store, "t", "a", 3, { snapshots: true });
    await grow(store, "t", "a", 2, { version: 3 });
    const { snapshot, commits } = await store.load({ tenant: "t", type: "account", id: "a" });
    expect(snapshot?.version).to.equal(2);
    expect(commits.map(({ version }) => version)).to.deep.equal([3, 4]);
    await store.close();
  });
});

function thrower(error: Error): never {
  throw error;
}

/** Executes a statement by a connection of its own, and returns its first row. */
function change(path: string, sql: string, readOnly = false): unknown {
  const database = new DatabaseSync(path, { readOnly });
  try {
    if (!sql.startsWith("PRAGMA user_version")) return database.exec(sql);
    return { ...database.prepare(sql).get() };
  } finally {
    database.close();
  }
}

/** How many frames the write-ahead log holds. */
function frames(path: string): number {
  return Math.floor((readFileSync(`${path}-wal`).length - 32) / (24 + 4096));
}

/** How many of the frames after the first `before` end a transaction: those say how large the database became. */
function commitFramesAfter(path: string, before: number): number {
  const log = readFileSync(`${path}-wal`);
  const ends = Array.from({ length: frames(path) }, (_, index) => log.readUInt32BE(32 + index * (24 + 4096) + 4) > 0);
  return ends.slice(before).filter(Boolean).length;
}
