import type { CommandName } from "../../../core/index.ts";
import type { Item, ItemView } from "../shopping.ts";

/** The aggregates that the page sends commands to. */
export type Items = [typeof Item];

/** Who is signed in. */
export interface Session {
  readonly token: string;
  readonly id: string;
  readonly name: string;
  readonly team: string;
}

/** A command that waits to be sent. */
export interface QueuedCommand {
  /** Its idempotency key: made once, sent as often as it takes. */
  readonly key: string;
  readonly user: string;
  readonly name: CommandName<Items>;
  readonly aggregateId: string;
  /** Checked by the compiler where it is queued. */
  readonly payload: object;
}

/** The list as it was last told, and where to go on. */
export interface SavedList {
  readonly items: readonly (readonly [string, ItemView])[];
  readonly lastId: string;
}

const OUTBOX = "outbox";
const VALUES = "values";

/** What survives a reload and a time without network: the session, the list, and the commands that are not sent yet. */
export class Database {
  readonly #db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.#db = db;
  }

  static async open(): Promise<Database> {
    const request = indexedDB.open("shopping", 1);
    request.onupgradeneeded = () => {
      // Numbered as they come: that is the order in which they are sent.
      request.result.createObjectStore(OUTBOX, { autoIncrement: true });
      request.result.createObjectStore(VALUES);
    };
    return new Database(await done(request));
  }

  get session(): Promise<Session | undefined> {
    return this.#read(VALUES, (store) => store.get("session"));
  }

  async signIn(session: Session): Promise<void> {
    await this.#write(VALUES, (store) => store.put(session, "session"));
  }

  /** Forgets who is signed in; what waits to be sent stays, for the same user. */
  async signOut(): Promise<void> {
    await this.#write(VALUES, (store) => store.delete("session"));
  }

  listOf(user: string): Promise<SavedList | undefined> {
    return this.#read(VALUES, (store) => store.get(`list of ${user}`));
  }

  async saveList(user: string, list: SavedList): Promise<void> {
    await this.#write(VALUES, (store) => store.put(list, `list of ${user}`));
  }

  async queue(command: QueuedCommand): Promise<void> {
    await this.#write(OUTBOX, (store) => store.add(command));
  }

  /** A user's commands that wait, the oldest first, each with its number. */
  async queued(user: string): Promise<readonly { readonly number: IDBValidKey; readonly command: QueuedCommand }[]> {
    const transaction = this.#db.transaction(OUTBOX).objectStore(OUTBOX);
    const [numbers, commands] = await Promise.all([done(transaction.getAllKeys()), done<QueuedCommand[]>(transaction.getAll())]);
    const all = commands.map((command, index) => ({ number: numbers[index] as IDBValidKey, command }));
    return all.filter(({ command }) => command.user === user);
  }

  async remove(number: IDBValidKey): Promise<void> {
    await this.#write(OUTBOX, (store) => store.delete(number));
  }

  #read<T>(name: string, ask: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return done(ask(this.#db.transaction(name).objectStore(name)));
  }

  /** Resolves once it is on the disk. */
  #write(name: string, change: (store: IDBObjectStore) => unknown): Promise<void> {
    const transaction = this.#db.transaction(name, "readwrite");
    change(transaction.objectStore(name));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
