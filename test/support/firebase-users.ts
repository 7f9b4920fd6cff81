import { deleteApp, type FirebaseApp, initializeApp } from "firebase/app";
import { type Auth, connectAuthEmulator, initializeAuth, signInWithEmailAndPassword } from "firebase/auth";
import { connectFirestoreEmulator, type Firestore, getFirestore, terminate } from "firebase/firestore";
import type { FirebaseEmulators } from "./firebase-emulators.ts";

/** What the operator says of a user. */
export type Claims = Readonly<Record<string, unknown>>;

/** Somebody who signed up, and the web SDK as their browser runs it. */
export interface SignedIn {
  readonly id: string;
  /** The web SDK's Firestore, under the deployed rules. */
  readonly firestore: Firestore;
  /** The ID token; a fresh one where it is forced. */
  token(isForced?: boolean): Promise<string>;
  close(): Promise<void>;
}

const PASSWORD = "a password of the tests";

/** Signs a user up at the auth emulator, lets the operator set the custom claims, and signs in with the web SDK. */
export async function signUp(emulators: FirebaseEmulators, name: string, claims: Claims): Promise<SignedIn> {
  const email = `${name}@example.test`;
  const { localId } = await post(emulators, "/v1/accounts:signUp?key=demo", { email, password: PASSWORD }, {});
  await setClaims(emulators, localId, claims);
  const app = initializeApp({ projectId: emulators.project, apiKey: "demo" }, `${emulators.auth}/${name}`);
  const auth = authOf(app, emulators);
  const { user } = await signInWithEmailAndPassword(auth, email, PASSWORD);
  const firestore = firestoreOf(app, emulators);
  return {
    id: localId,
    firestore,
    token: (isForced = false) => user.getIdToken(isForced),
    close: () => closeAll(app, firestore),
  };
}

/** The web SDK of somebody who did not sign in. */
export function stranger(emulators: FirebaseEmulators): Pick<SignedIn, "firestore" | "close"> {
  const app = initializeApp({ projectId: emulators.project, apiKey: "demo" }, `${emulators.auth}/nobody`);
  const firestore = firestoreOf(app, emulators);
  return { firestore, close: () => closeAll(app, firestore) };
}

/** Sets a user's custom claims, as an operator does; tokens that are out keep the old ones. */
export async function setClaims(emulators: FirebaseEmulators, id: string, claims: Claims): Promise<void> {
  const path = `/v1/projects/${emulators.project}/accounts:update`;
  await post(emulators, path, { localId: id, customAttributes: JSON.stringify(claims) }, { authorization: "Bearer owner" });
}

/** A token with other claims, unsigned as all tokens of the emulator are. */
export function changed(token: string, claims: Claims): string {
  const [head, body, signature] = token.split(".") as [string, string, string];
  const payload = { ...JSON.parse(Buffer.from(body, "base64url").toString()), ...claims };
  return `${head}.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.${signature}`;
}

async function post(emulators: FirebaseEmulators, path: string, body: object, headers: Readonly<Record<string, string>>) {
  const url = `http://${emulators.auth}/identitytoolkit.googleapis.com${path}`;
  const init = { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } };
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as { readonly localId: string };
}

function authOf(app: FirebaseApp, emulators: FirebaseEmulators): Auth {
  const auth = initializeAuth(app);
  connectAuthEmulator(auth, `http://${emulators.auth}`, { disableWarnings: true });
  return auth;
}

function firestoreOf(app: FirebaseApp, emulators: FirebaseEmulators): Firestore {
  const firestore = getFirestore(app);
  const [host = "", port] = emulators.firestore.split(":");
  connectFirestoreEmulator(firestore, host, Number(port));
  return firestore;
}

async function closeAll(app: FirebaseApp, firestore: Firestore): Promise<void> {
  await terminate(firestore);
  await deleteApp(app);
}
