import {
  collection,
  collectionGroup,
  deleteDoc,
  doc,
  type Firestore,
  getDocFromServer,
  getDocsFromServer,
  limit,
  query,
  setDoc,
  updateDoc,
} from "firebase/firestore";
import type { Identity } from "./rules-identities.ts";
import type { Place } from "./rules-places.ts";
import { listBehindOffset } from "./rules-skipping.ts";

/** What somebody may try on a document or the collection that it lies in. */
export interface Operation {
  readonly name: string;
  /** Whether those who may read a place may do this. */
  readonly isReading: boolean;
  readonly isWriting?: true;
  readonly attempt: (client: Firestore, path: string, identity: Identity) => Promise<unknown>;
}

const collectionOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
const groupOf = (path: string) => path.split("/").at(-2) ?? "";

/** Everything that a client can do. */
export const OPERATIONS: readonly Operation[] = [
  { name: "get", isReading: true, attempt: (client, path) => getDocFromServer(doc(client, path)) },
  {
    name: "list a page",
    isReading: true,
    attempt: (client, path) => getDocsFromServer(query(collection(client, collectionOf(path)), limit(100))),
  },
  {
    name: "list more than a page",
    isReading: false,
    attempt: (client, path) => getDocsFromServer(query(collection(client, collectionOf(path)), limit(101))),
  },
  {
    name: "list without a limit",
    isReading: false,
    attempt: (client, path) => getDocsFromServer(collection(client, collectionOf(path))),
  },
  {
    name: "list a page behind an offset",
    isReading: false,
    attempt: (client, path, identity) => listBehindOffset(client, collectionOf(path), identity),
  },
  {
    name: "list the collection group",
    isReading: false,
    attempt: (client, path) => getDocsFromServer(query(collectionGroup(client, groupOf(path)), limit(10))),
  },
  {
    name: "create",
    isReading: false,
    isWriting: true,
    attempt: (client, path) => setDoc(doc(client, `${path}-new`), { forged: true }),
  },
  {
    name: "update",
    isReading: false,
    isWriting: true,
    attempt: (client, path) => updateDoc(doc(client, path), { forged: true }),
  },
  { name: "delete", isReading: false, isWriting: true, attempt: (client, path) => deleteDoc(doc(client, path)) },
];

/** Whether an operation must be allowed: the matrix by hand, whatever the rules say. */
export function isEntitled(identity: Identity, { tenant, readers }: Place, operation: Operation): boolean {
  if (!operation.isReading || readers === undefined || identity.tenant !== tenant) return false;
  return readers === "tenant" || readers.some((role) => identity.roles?.includes(role));
}

/** Whether the emulator allows an operation. @throws whatever is neither an answer nor a denial. */
export async function isAllowed(client: Firestore, { path }: Place, operation: Operation, identity: Identity): Promise<boolean> {
  try {
    await operation.attempt(client, path, identity);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "permission-denied") return false;
    throw error;
  }
}
