import { Firestore } from "@google-cloud/firestore";
import { expect } from "chai";
import { deleteApp, initializeApp } from "firebase-admin/app";
import { type Firestore as AdminFirestore, initializeFirestore } from "firebase-admin/firestore";
import { type FirestoreClient, FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { Err, StoreError } from "../../core/index.ts";
import { pending } from "../contract/pending.ts";
import { historyOf } from "../contract/reading.ts";
import { grow, send } from "../contract/writing.ts";
import { firestoreEmulator, needsFirestore } from "../support/firestore-emulator.ts";
import { newProject } from "../support/firestore-store.ts";

// The compiler's part of the test: both clients fit the slice that the adapter describes.
const _google: (client: Firestore) => FirestoreClient = (client) => client;
const _admin: (client: AdminFirestore) => FirestoreClient = (client) => client;

const TENANT = "clients";

describe("The clients that a Firestore store takes", function () {
  this.timeout(30_000);
  before(function () {
    needsFirestore(this);
  });

  it("are those of firebase-admin too", async () => {
    const { host } = await firestoreEmulator();
    const projectId = newProject();
    const before = process.env.FIRESTORE_EMULATOR_HOST;
    process.env.FIRESTORE_EMULATOR_HOST = host;
    const app = initializeApp({ projectId }, projectId);
    const client = initializeFirestore(app);
    try {
      const store = new FirestoreEventStore(client);
      await store.open(TENANT);
      await grow(store, TENANT, "a", 2);
      expect((await historyOf(store, TENANT, "a")).length).to.equal(2);
      await store.close();
    } finally {
      await client.terminate();
      await deleteApp(app);
      if (before === undefined) delete process.env.FIRESTORE_EMULATOR_HOST;
      else process.env.FIRESTORE_EMULATOR_HOST = before;
    }
  });

  it("show their FieldValue, or it is given", () => {
    const client = { doc() {}, collection() {}, batch() {}, getAll() {}, runTransaction() {} } as unknown as FirestoreClient;
    expect(() => new FirestoreEventStore(client)).to.throw(Err, "fieldValue");
  });

  for (const [code, name] of [
    [7, "permission denied"],
    [16, "unauthenticated"],
    [12, "unimplemented"],
  ] as const) {
    it(`fail with a StoreError, never a conflict, when the answer is ${name} (defect 8 of seed 1)`, async () => {
      const store = new FirestoreEventStore(failing(code));
      const outcome = await send(store, TENANT, pending({ id: "a", version: 0 }));
      const error = outcome.status === "failed" ? outcome.error : undefined;
      expect(error).to.be.instanceOf(StoreError);
      expect(error).to.include({ retryable: false, outcome: "none" });
    });
  }
});

/** A client whose batches all fail with a gRPC code. */
function failing(code: number): Firestore {
  const client = new Firestore({ projectId: "demo-failing" });
  const commit = () => Promise.reject(Object.assign(new Error(`${code}`), { code }));
  return Object.assign(client, { batch: () => Object.assign(Firestore.prototype.batch.call(client), { commit }) });
}
