import { defaultPlatform } from "../../core/index.ts";
import { fullJitter } from "../../core/store-kit.ts";
import type { DocumentSnapshot, Fields, FieldValues, FirestoreClient, Precondition, Transaction, UpdateTime } from "./client.ts";
import { CODE, codeOf, isPassing, isRefusal, storeError } from "./failures.ts";

/** One write of a batch. */
export type Write =
  | { readonly kind: "create"; readonly path: string; readonly fields: Fields }
  | { readonly kind: "set"; readonly path: string; readonly fields: Fields }
  | { readonly kind: "update"; readonly path: string; readonly fields: Fields; readonly if?: Precondition }
  | { readonly kind: "delete"; readonly path: string; readonly if?: Precondition };

/**
 * What became of a batch. `refused`: this try wrote nothing, by a precondition or as ill-formed; but an earlier try of the same batch
 * may have been carried out (the SDK repeats by itself, and tells nobody), so a refused writer must look for its own mark.
 */
export type Written =
  | { readonly status: "done"; readonly times: readonly UpdateTime[] }
  | { readonly status: "refused"; readonly code: number; readonly cause: unknown };

/** Which documents of a collection to read, in the order of their ids. */
export interface Range {
  /** The first id, included. */
  readonly from?: string;
  /** Begins after this id. */
  readonly after?: string;
  /** Ends before this id. */
  readonly before?: string;
  readonly limit: number;
  /** Only the ids. */
  readonly isBare?: boolean;
}

/** When a call must end, in ms of the process' own steady clock. */
export interface Deadline {
  readonly at: number;
}

/** How long one try of a batch may take before the same is sent again beside it, in ms: safe, since it can succeed only once. */
const TRY_TIME = 4_000;
/** How long the first repetition waits at most, and how long the later ones do, in ms. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 800;

/** The database with a deadline of our own around every request: the SDK's own patience is 60 s to 10 minutes. */
export class Database {
  readonly values: FieldValues;
  readonly #client: FirestoreClient;
  readonly #patience: number;

  /** `patience`: how long a call may take, in ms. */
  constructor(client: FirestoreClient, values: FieldValues, patience: number) {
    this.#client = client;
    this.values = values;
    this.#patience = patience;
  }

  /** The client itself, for what names documents. */
  get client(): FirestoreClient {
    return this.#client;
  }

  /** A deadline that begins now. */
  deadline(): Deadline {
    return { at: performance.now() + this.#patience };
  }

  /** Reads documents by their paths, in one round trip; `mask` names the only fields to send. */
  async get(
    paths: readonly string[],
    deadline = this.deadline(),
    mask?: readonly string[],
  ): Promise<readonly DocumentSnapshot[]> {
    if (paths.length === 0) return [];
    const refs = paths.map((path) => this.#client.doc(path));
    return this.#repeat("to read", deadline, () =>
      mask === undefined ? this.#client.getAll(...refs) : this.#client.getAll(...refs, { fieldMask: [...mask] }),
    );
  }

  /** Reads a part of a collection in the order of ids. */
  async list(collection: string, range: Range, deadline = this.deadline()): Promise<readonly DocumentSnapshot[]> {
    const { from, after, before, limit, isBare } = range;
    return this.#repeat("to list", deadline, async () => {
      let query = this.#client.collection(collection).orderBy("__name__");
      if (after !== undefined) query = query.startAfter(after);
      else if (from !== undefined) query = query.startAt(from);
      if (before !== undefined) query = query.endBefore(before);
      if (isBare) query = query.select();
      return (await query.limit(limit).get()).docs;
    });
  }

  /** The ids of a collection's documents, those included that are only parents of others; for small collections. */
  async parents(collection: string, deadline = this.deadline()): Promise<readonly string[]> {
    const documents = await this.#repeat("to list", deadline, () => this.#client.collection(collection).listDocuments());
    return documents.map(({ id }) => id);
  }

  /** Finds the documents of a collection whose array holds a text. */
  async holding(
    collection: string,
    field: string,
    item: string,
    deadline = this.deadline(),
  ): Promise<readonly DocumentSnapshot[]> {
    return this.#repeat("to search", deadline, async () => {
      return (await this.#client.collection(collection).where(field, "array-contains", item).limit(1).get()).docs;
    });
  }

  /**
   * Carries out a batch: the identical one again and again, until the server says yes or no.
   * @throws {StoreError} `outcome: "unknown"` at the deadline, or `"none"` where the server refuses us altogether.
   */
  async write(writes: readonly Write[], deadline = this.deadline()): Promise<Written> {
    let isUncertain = false;
    for (let tries = 0; ; tries++) {
      try {
        const results = await within(Math.min(TRY_TIME, deadline.at - performance.now()), () => this.#batch(writes).commit());
        return { status: "done", times: results.map(({ writeTime }) => writeTime) };
      } catch (cause) {
        if (isRefusal(cause)) return { status: "refused", code: codeOf(cause) ?? CODE.invalidArgument, cause };
        if (!isPassing(cause)) throw storeError("to write", cause, isUncertain ? "unknown" : "none");
        isUncertain = true;
        if (!(await pause(tries, deadline))) throw storeError("to write in time", cause, "unknown");
      }
    }
  }

  /** Runs a transaction; at the deadline it is given up, and may have been carried out or not. */
  async transact(body: (transaction: Transaction) => Promise<void>): Promise<void> {
    await within(this.#patience, () => this.#client.runTransaction(body));
  }

  #batch(writes: readonly Write[]) {
    const batch = this.#client.batch();
    for (const write of writes) {
      const ref = this.#client.doc(write.path);
      if (write.kind === "create") batch.create(ref, write.fields);
      else if (write.kind === "set") batch.set(ref, write.fields);
      else if (write.kind === "delete") batch.delete(ref, ...(write.if === undefined ? [] : [write.if]));
      else batch.update(ref, write.fields, ...(write.if === undefined ? [] : [write.if]));
    }
    return batch;
  }

  async #repeat<T>(doing: string, deadline: Deadline, read: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await within(deadline.at - performance.now(), read);
      } catch (cause) {
        if (!isPassing(cause) || !(await pause(tries, deadline))) throw storeError(doing, cause, "none");
      }
    }
  }
}

/** Waits before the next try, a random time that doubles; false = the deadline leaves no time for one. */
export async function pause(tries: number, deadline: Deadline): Promise<boolean> {
  const left = deadline.at - performance.now();
  const wait = fullJitter(tries, FIRST_PAUSE, LONGEST_PAUSE, defaultPlatform.random);
  if (wait >= left) return false;
  await defaultPlatform.sleep(wait);
  return true;
}

/** One try, given up when it takes too long: what it asked for may still happen. */
async function within<T>(ms: number, request: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${Math.round(ms)} ms`)), Math.max(1, ms));
  });
  try {
    return await Promise.race([request(), late]);
  } finally {
    clearTimeout(timer);
  }
}
