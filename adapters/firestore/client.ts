import { Err } from "../../core/index.ts";

/** The server's time of a document's last write; passed back as it came. */
export interface UpdateTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** What `getAll` takes: documents, and at the end the only fields to send. */
export interface ReadArgument {
  fieldMask?: string[];
}

/** A document's address. It has no mask; the compiler is told that it might, because `getAll` takes either. */
export interface DocumentRef extends ReadArgument {
  readonly id: string;
  readonly path: string;
  onSnapshot(next: (snapshot: DocumentSnapshot) => void, failed: (error: Error) => void): () => void;
}

/** A document as it was read; `data()` is undefined where there is none. */
export interface DocumentSnapshot {
  readonly id: string;
  readonly exists: boolean;
  readonly updateTime?: UpdateTime | undefined;
  data(): Record<string, unknown> | undefined;
}

/** A query on one collection. */
export interface Query {
  orderBy(field: string): Query;
  where(field: string, operator: "array-contains", value: unknown): Query;
  startAt(id: string): Query;
  startAfter(id: string): Query;
  endBefore(id: string): Query;
  select(...fields: string[]): Query;
  limit(count: number): Query;
  get(): Promise<{ readonly docs: readonly DocumentSnapshot[] }>;
}

/** A collection: also a query for all of its documents. */
export interface Collection extends Query {
  /** The documents, those included that are only parents of others. */
  listDocuments(): Promise<readonly DocumentRef[]>;
}

/** What must hold of a document for a write to it. */
export interface Precondition {
  readonly exists?: boolean;
  readonly lastUpdateTime?: UpdateTime;
}

/** Fields of a document, field values (increment, arrayUnion …) included. */
export type Fields = Record<string, unknown>;

/** Writes that are carried out together or not at all. */
export interface Batch {
  create(ref: DocumentRef, fields: Fields): unknown;
  set(ref: DocumentRef, fields: Fields): unknown;
  update(ref: DocumentRef, fields: Fields, precondition?: Precondition): unknown;
  delete(ref: DocumentRef, precondition?: Precondition): unknown;
  commit(): Promise<readonly { readonly writeTime: UpdateTime }[]>;
}

/** A transaction; used only to suspend a tenant. */
export interface Transaction {
  getAll(...refs: DocumentRef[]): Promise<readonly DocumentSnapshot[]>;
  create(ref: DocumentRef, fields: Fields): unknown;
  update(ref: DocumentRef, fields: Fields): unknown;
  delete(ref: DocumentRef): unknown;
}

/** The slice of `Firestore` that is used, of `@google-cloud/firestore` and of `firebase-admin/firestore` alike. */
export interface FirestoreClient {
  doc(path: string): DocumentRef;
  collection(path: string): Collection;
  batch(): Batch;
  getAll(...refsAndMask: ReadArgument[]): Promise<readonly DocumentSnapshot[]>;
  runTransaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T>;
}

/** The server's own operations on fields. */
export interface FieldValues {
  increment(by: number): unknown;
  arrayUnion(...items: unknown[]): unknown;
  arrayRemove(...items: unknown[]): unknown;
}

/**
 * The field values of the client's own SDK: they must come from the same copy of it, and the SDK hangs them on its class.
 * @throws {Err} `missing_argument` for a client whose class lacks them.
 */
export function fieldValuesOf(client: FirestoreClient): FieldValues {
  const values = (client as { constructor?: { FieldValue?: FieldValues } }).constructor?.FieldValue;
  if (typeof values?.increment !== "function" || typeof values.arrayUnion !== "function") throw Err.missingArgument("fieldValue");
  return values;
}
