import { expect } from "chai";
import { FirebaseError } from "firebase/app";
import {
  collection,
  doc,
  type Firestore,
  getDoc,
  getDocs,
  limit,
  onSnapshot,
  query,
  setDoc,
  setLogLevel,
} from "firebase/firestore";
import { googleReaders } from "../../functions/gcp/doctor-readers.ts";
import { type FirebaseEmulators, startFirebaseEmulators } from "../support/firebase-emulators.ts";
import { changed, type SignedIn, setClaims, signUp, stranger } from "../support/firebase-users.ts";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { rejects } from "../support/rejects.ts";

const ROLES = ["manager", "user"];

interface Answered {
  readonly status: number;
  readonly challenge: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

describe("The functions on Firebase's emulators", function () {
  this.timeout(60_000);
  let emulators: FirebaseEmulators;
  let ada: SignedIn;
  let eve: SignedIn;
  const open: { close(): Promise<void> }[] = [];

  before(async function () {
    this.timeout(120_000);
    needsFirestore(this);
    // Every denial would be a warning otherwise.
    setLogLevel("silent");
    emulators = await startFirebaseEmulators({ EVENANT_CHECK_REVOKED: "AddNumbers" });
    ada = await signUp(emulators, "ada", { tenant: "acme", roles: ROLES });
    eve = await signUp(emulators, "eve", { tenant: "twin", roles: ROLES });
    open.push(ada, eve);
  });
  after(async function () {
    this.timeout(60_000);
    await Promise.all(open.map((one) => one.close()));
    await emulators?.stop();
  });
  afterEach(function () {
    if (this.currentTest?.state === "failed") console.error(emulators.log().slice(-15_000));
  });

  const send = async (path: string, token?: string, body?: object): Promise<Answered> => {
    const response = await fetch(`${emulators.url}${path}`, {
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    const challenge = response.headers.get("www-authenticate");
    return { status: response.status, challenge, body: (await response.json()) as Answered["body"] };
  };
  const add = (token: string | undefined, aggregateId: string, number2 = 2) =>
    send("/commands/AddNumbers", token, { aggregateId, number1: 1, number2 });
  /** Resolves once a document holds what is expected of a view; by listening, as a page would. */
  const shown = async (firestore: Firestore, path: string, expected: object) => {
    while (!(await isShown(firestore, path, expected)));
  };

  it("carry out a command, and the trigger feeds the view that a client of the tenant sees", async () => {
    const first = await add(await ada.token(), "calc1");
    expect(first.status, JSON.stringify(first.body)).to.equal(200);
    expect(first.body).to.deep.include({ aggregateId: "calc1", version: 0, position: 1, state: { sum: 3 } });
    await shown(ada.firestore, "tenants/acme/views/totals/items/calc1", { sum: 3, steps: 1 });
    expect((await add(await ada.token(), "calc1", 4)).body).to.deep.include({ version: 1, position: 2 });
    await shown(ada.firestore, "tenants/acme/views/totals/items/calc1", { sum: 8, steps: 2 });

    const list = await getDocs(query(collection(ada.firestore, "tenants/acme/views/totals/items"), limit(10)));
    expect(list.docs.map((document) => document.id)).to.deep.equal(["calc1"]);
    expect(await send("/views/totals/calc1?position=2", await ada.token())).to.deep.include({
      status: 200,
      body: { id: "calc1", value: { sum: 8, steps: 2 } },
    });
  });

  it("keep the same ids of two tenants apart", async () => {
    expect((await add(await eve.token(), "calc1", 100)).body).to.deep.include({ version: 0, position: 1 });
    await shown(eve.firestore, "tenants/twin/views/totals/items/calc1", { sum: 101, steps: 1 });
    expect((await send("/views/totals/calc1", await ada.token())).body).to.deep.equal({
      id: "calc1",
      value: { sum: 8, steps: 2 },
    });
  });

  it("answer in the application's own words what the framework would refuse by itself", async () => {
    const headers = { authorization: `Bearer ${await ada.token()}`, "content-type": "application/json" };
    const broken = await fetch(`${emulators.url}/commands/AddNumbers`, { method: "POST", headers, body: '{"aggregateId":' });
    expect(broken.status).to.equal(400);
    expect(await broken.json()).to.deep.include({ code: "malformed" });
  });

  it("stream the changes of views to a page", async () => {
    const leave = new AbortController();
    const answer = await fetch(`${emulators.url}/views/totals/stream`, {
      headers: { authorization: `Bearer ${await ada.token()}` },
      signal: leave.signal,
    });
    expect(answer.status).to.equal(200);
    const sent = add(await ada.token(), "streamed", 41);
    let text = "";
    for await (const part of answer.body ?? []) {
      text += Buffer.from(part).toString();
      if (text.includes('"sum":42')) break;
    }
    leave.abort();
    expect(text).to.include('"streamed"').and.to.not.include('"sum":101');
    expect((await sent).status).to.equal(200);
  });

  it("refuse the other tenant's token", async () => {
    for (const path of [
      "tenants/acme/views/totals/items/calc1",
      "tenants/acme/events/calc1",
      "tenants/acme/log/open",
      "sweeps/tenants",
    ]) {
      await denied(getDoc(doc(eve.firestore, path)));
      await denied(setDoc(doc(eve.firestore, path), { sum: 0 }));
    }
    await denied(getDocs(query(collection(eve.firestore, "tenants/acme/views/totals/items"), limit(10))));
    expect((await send("/aggregates/summing-calculators/calc1", await eve.token())).body).to.deep.include({
      state: { sum: 101 },
    });
  });

  it("refuse who has no token", async () => {
    const nobody = stranger(emulators);
    open.push(nobody);
    await denied(getDoc(doc(nobody.firestore, "tenants/acme/views/totals/items/calc1")));
    expect(await add(undefined, "calc1")).to.deep.include({ status: 401, challenge: 'Bearer realm="evenant"' });
  });

  it("refuse an expired token", async () => {
    const past = Math.floor(Date.now() / 1000) - 3_600;
    const expired = changed(await ada.token(), { iat: past - 3_600, exp: past });
    const { status, body, challenge } = await add(expired, "calc1");
    expect({ status, code: body.code }).to.deep.equal({ status: 401, code: "unauthenticated" });
    expect(challenge).to.include("the token has expired");
  });

  it("refuse a token whose claims were changed on the way", async () => {
    for (const claims of [
      { tenant: "twin" },
      { roles: [...ROLES, "auditor"] },
      { user_id: eve.id, sub: eve.id },
      { tenant: undefined },
    ]) {
      const { status, body } = await add(changed(await ada.token(), claims), "calc1");
      expect({ status, code: body.code }, JSON.stringify(claims)).to.deep.equal({ status: 401, code: "unauthenticated" });
    }
    expect((await send("/aggregates/summing-calculators/calc1", await eve.token())).body).to.deep.include({ version: 0 });
    expect((await send("/aggregates/summing-calculators/calc1", await ada.token())).body).to.deep.include({ version: 1 });
  });

  it("have users whose claims the doctor can read", async () => {
    const { users } = googleReaders(emulators.project);
    // firebase-admin knows the emulator by this variable alone.
    process.env.FIREBASE_AUTH_EMULATOR_HOST = emulators.auth;
    try {
      const found = await users();
      expect(found).to.deep.include({ id: ada.id, claims: { tenant: "acme", roles: ROLES } });
      const late = await signUp(emulators, "late", {});
      open.push(late);
      expect(await users()).to.deep.include({ id: late.id, claims: {} });
    } finally {
      delete process.env.FIREBASE_AUTH_EMULATOR_HOST;
    }
  });

  it("refuse a token whose claims the operator has changed since, and take the fresh one", async () => {
    const carol = await signUp(emulators, "carol", { tenant: "acme", roles: ["user"] });
    open.push(carol);
    const old = await carol.token();
    expect((await add(old, "calc2")).status).to.equal(200);
    await setClaims(emulators, carol.id, { tenant: "acme", roles: [] });
    expect((await add(old, "calc2")).status).to.equal(401);
    expect((await add(await carol.token(true), "calc2")).body).to.deep.include({ status: 403, code: "authorization" });
  });
});

/** How long a listener is trusted, in ms: on a loaded machine the Firestore emulator now and then forgets one that has just begun. */
const TRUST = 10_000;

function isShown(firestore: Firestore, path: string, expected: object): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const end = (isSeen: boolean) => {
      clearTimeout(timer);
      stop();
      resolve(isSeen);
    };
    const timer = setTimeout(() => end(false), TRUST);
    const stop = onSnapshot(
      doc(firestore, path),
      (document) => {
        if (JSON.stringify(sorted(document.data())) === JSON.stringify(sorted(expected))) end(true);
      },
      reject,
    );
  });
}

function sorted(value: object | undefined): unknown {
  return value === undefined ? undefined : Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
}

async function denied(asked: Promise<unknown>): Promise<void> {
  expect((await rejects(FirebaseError, asked)).code).to.equal("permission-denied");
}
