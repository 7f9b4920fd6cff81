import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { collection, type DocumentData, doc, type Firestore, limit, onSnapshot, query } from "firebase/firestore";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { Actor } from "../../core/index.ts";
import { compose, examples, type Service } from "../../functions/composition.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { firestoreClient, firestoreStore } from "../support/firestore-store.ts";
import { type RulesProject, rulesProject } from "../support/rules-environment.ts";
import { IDENTITIES, TENANT } from "../support/rules-identities.ts";

const RULES = join(import.meta.dirname, "..", "..", "firestore.rules");
const manager = new Actor({ id: "ada", name: "Ada", tenant: TENANT, roles: ["user", "manager"] });

/** What a listener was told, newest last. */
class Told {
  readonly values: unknown[] = [];
  readonly #ring = new Set<() => void>();

  push(value: unknown): void {
    this.values.push(value);
    for (const ring of this.#ring) ring();
  }

  /** Resolves with the first value, told already or yet to come, that fits. */
  async until(fits: (value: unknown) => boolean): Promise<unknown> {
    for (;;) {
      const found = this.values.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#ring.add(resolve));
    }
  }
}

describe("A client of the Firebase web SDK", function () {
  this.timeout(30_000);
  let project: RulesProject;
  let service: Service;
  let close: () => Promise<void>;

  before(async function () {
    needsFirestore(this);
    project = await rulesProject(await readFile(RULES, "utf8"));
    const client = await firestoreClient(project.environment.projectId);
    // The places of the matrix would be in the way: here the store itself writes.
    await project.environment.clearFirestore();
    const store = new FirestoreEventStore(client);
    service = compose(store, examples);
    close = async () => {
      await store.close();
      await client.terminate();
    };
  });
  after(async () => {
    await close?.();
    await project?.close();
  });

  const clientOf = (name: string): Firestore => {
    const identity = IDENTITIES.find((one) => one.name === name);
    if (identity === undefined) throw new Error(`nobody is ${name}`);
    return project.clientOf(identity);
  };
  const listen = (client: Firestore, path: string): Told => {
    const told = new Told();
    onSnapshot(
      doc(client, path),
      (document) => told.push(document.data() ?? "absent"),
      ({ code }) => told.push(code),
    );
    return told;
  };
  const readAll = async () => {
    for (const [thread, handlers] of Object.entries(service.threads)) await service.reader.poll(TENANT, thread, handlers);
  };

  it("sees a view change that a command made", async () => {
    const told = listen(clientOf("a member without roles"), `tenants/${TENANT}/views/totals/items/c1`);
    await told.until((value) => value === "absent");
    await service.handler.command(manager, "AddNumbers", { number1: 1, number2: 2, aggregateId: "c1" });
    await readAll();
    await told.until((value) => (value as DocumentData).sum === 3);
    await service.handler.command(manager, "AddNumbers", { number1: 3, number2: 4, aggregateId: "c1" });
    await readAll();
    expect(await told.until((value) => (value as DocumentData).sum === 10)).to.deep.equal({ sum: 10, steps: 2 });
  });

  it("sees a page of views change that a command made", async () => {
    const told = new Told();
    const page = query(collection(clientOf("a member with the role user"), `tenants/${TENANT}/views/loans/items`), limit(100));
    onSnapshot(
      page,
      ({ docs }) => told.push(docs.map((one) => [one.id, one.data().state])),
      ({ code }) => told.push(code),
    );
    await told.until((value) => Array.isArray(value) && value.length === 0);
    await service.handler.command(manager, "CreateLoan", { borrower: "Bo", amount: 5, aggregateId: "l1" });
    await readAll();
    expect(await told.until((value) => (value as unknown[]).length > 0)).to.deep.equal([["l1", "CREATED"]]);
  });

  it("sees a published snapshot change with the command itself, as native fields", async () => {
    const told = listen(clientOf("a member without roles"), `tenants/${TENANT}/snapshots/key-press-calculators/states/k1`);
    await told.until((value) => value === "absent");
    await service.handler.command(manager, "PressDigit", { digit: "7", aggregateId: "k1" });
    expect(await told.until((value) => (value as DocumentData).version === 0)).to.deep.equal({
      version: 0,
      schema: 0,
      state: { result: 7, left: "7", right: "", operator: "", isDone: false },
    });
    // And a handler without a warm cache takes it for the aggregate's state, as it does any snapshot.
    const cold = await firestoreStore({}, project.environment.projectId);
    const context = await compose(cold, examples).handler.command(manager, "PressDigit", { digit: "5", aggregateId: "k1" });
    await cold.close();
    expect(context.aggregate).to.include({ result: 75, aggregateVersion: 1 });
    await told.until((value) => (value as DocumentData).state?.result === 75);
  });

  it("follows a rebuild by the pointer to the live views, and its roll back", async () => {
    const client = clientOf("a member without roles");
    const views = `tenants/${TENANT}/views`;
    const told = new Told();
    let leave = () => {};
    // What a client does that follows: listen to the pointer, and to the view where it says that views live.
    onSnapshot(doc(client, `${views}/totals~live/items/live`), (pointer) => {
      const place = pointer.data()?.collection ?? "totals";
      leave();
      leave = onSnapshot(doc(client, `${views}/${place}/items/c9`), (view) => told.push([place, view.data()?.sum]));
    });
    const sees = (place: string, sum: number) =>
      told.until((value) => (value as unknown[])[0] === place && (value as unknown[])[1] === sum);
    const add = async (number1: number) => {
      await service.handler.command(manager, "AddNumbers", { number1, number2: 0, aggregateId: "c9" });
      await readAll();
    };
    await add(1);
    await sees("totals", 1);
    const [totals] = service.threads.calculators ?? [];
    await service.reader.rebuild(TENANT, "calculators", totals!);
    await sees("totals~1", 1);
    await add(2);
    await sees("totals~1", 3);
    await service.reader.rollback(TENANT, "calculators", totals!);
    await sees("totals", 3);
    leave();
  });

  for (const name of [
    "a manager of the tenant whose name is longer",
    "a manager without the claim tenant",
    "nobody who signed in",
  ]) {
    it(`is refused as ${name}`, async () => {
      for (const path of ["views/totals/items/c1", "views/loans/items/l1", "snapshots/key-press-calculators/states/k1"]) {
        const told = listen(clientOf(name), `tenants/${TENANT}/${path}`);
        await told.until(() => true);
        expect(told.values, path).to.deep.equal(["permission-denied"]);
      }
    });
  }

  it("is refused what its roles do not open", async () => {
    const told = listen(clientOf("a member with the role user"), `tenants/${TENANT}/snapshots/loans/states/l1`);
    await told.until(() => true);
    expect(told.values).to.deep.equal(["permission-denied"]);
  });
});
