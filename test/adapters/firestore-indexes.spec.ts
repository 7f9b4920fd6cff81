import { readFileSync } from "node:fs";
import { FieldValue, type Firestore } from "@google-cloud/firestore";
import { expect } from "chai";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { exportAll, listAll, parkedAll, readAll } from "../contract/reading.ts";
import { grow, hold, moves, project, send } from "../contract/writing.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { firestoreClient } from "../support/firestore-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";

interface Override {
  readonly collectionGroup: string;
  readonly fieldPath: string;
  readonly ttl?: boolean;
  readonly indexes: readonly { readonly arrayConfig?: string; readonly queryScope?: string }[];
}

const TENANT = "indexed";
const FILE = new URL("../../firestore.indexes.json", import.meta.url);
const { indexes, fieldOverrides } = JSON.parse(readFileSync(FILE, "utf8")) as {
  indexes: readonly unknown[];
  fieldOverrides: readonly Override[];
};

/** Notes what each query asks for, as `collection: method(field), …`. */
function noting(client: Firestore, asked: Set<string>): Firestore {
  const watched = <T extends object>(query: T, text: string): T =>
    new Proxy(query, {
      get(target, name) {
        const method = Reflect.get(target, name, target) as (...given: unknown[]) => unknown;
        if (name === "get") {
          asked.add(text);
          return () => method.call(target);
        }
        if (typeof method !== "function") return method;
        const note = name === "orderBy" || name === "where" ? ` ${name}(${name === "where" ? "%s" : ""}` : undefined;
        return (...given: unknown[]) => {
          const facts = name === "where" ? given.slice(0, 2).join(" ") : String(given[0]);
          return watched(method.apply(target, given) as object, note === undefined ? text : `${text} ${String(name)}(${facts})`);
        };
      },
    });
  return new Proxy(client, {
    get(target, name) {
      if (name === "collection") return (path: string) => watched(target.collection(path), groupOf(path));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function groupOf(path: string): string {
  return path.split("/").at(-1) ?? "";
}

describe("The indexes of Firestore", function () {
  this.timeout(60_000);
  before(function () {
    needsFirestore(this);
  });

  it("are those of the file: no query of the adapter needs another", async () => {
    const asked = new Set<string>();
    const client = await firestoreClient();
    const store = new FirestoreEventStore(noting(client, asked), { fieldValue: FieldValue });
    await store.open(TENANT);
    await grow(store, TENANT, "a", 150, { snapshots: true });
    await send(store, TENANT, pending({ id: "a", version: 0 }));
    await send(store, TENANT, pending({ id: "b", version: 0 }, { receipt: receiptOf("k", "b", 0) }));
    await readAll({ store, clock: new TurnedClock() }, TENANT);
    expect(await store.positionOf({ tenant: TENANT, type: TYPE, id: "a" }, 3)).to.equal(4);
    const lease = await project(store, TENANT, "balances", { a: { n: 1 } });
    await moves(store, lease, {
      park: [{ handler: "H", position: 1, index: 0, event: "E", attempts: 1, error: "", parkedAt: 1 }],
    });
    await hold(store, TENANT, "views");
    await listAll(store, TENANT, "balances");
    await parkedAll(store, TENANT, "views", { handler: "H" });
    await exportAll(store, TENANT);
    await store.redact({ tenant: TENANT, type: TYPE, id: "a" }, () => ({}), 1);
    await store.tenants({ limit: 10 });
    await store.erase(TENANT);
    await store.close();
    await client.terminate();
    // A range of names needs no index of ours; the one search is in an array whose index the file keeps.
    expect([...asked].filter((query) => !query.endsWith("orderBy(__name__)"))).to.deep.equal(["log where(page array-contains)"]);
    expect(indexes).to.deep.equal([]);
    const page = fieldOverrides.find(({ collectionGroup, fieldPath }) => collectionGroup === "log" && fieldPath === "page");
    expect(page?.indexes).to.deep.equal([{ arrayConfig: "CONTAINS", queryScope: "COLLECTION" }]);
  });

  it("leave out what is never searched, and let receipts expire", () => {
    const exempt = fieldOverrides
      .filter((field) => field.indexes.length === 0)
      .map((field) => `${field.collectionGroup}.${field.fieldPath}`);
    expect(exempt).to.include.members(["events.data", "states.state", "log.refs", "threads.data", "receipts.data"]);
    expect(fieldOverrides.filter(({ ttl }) => ttl).map(({ fieldPath }) => fieldPath)).to.deep.equal(["expireAt"]);
  });
});
