import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fullJitter } from "../../core/store-kit.ts";
import { closed, isBusy, noSharedMemory, translate } from "./failure.ts";
import { prepareSchema } from "./schema.ts";

/** What a statement takes; texts are compared bytewise. */
export type SqlValue = string | number | null;

/** How long SQLite itself may wait for a lock, in ms: it blocks the event loop meanwhile. */
const BLOCKING_WAIT = 2;
/** The most that the first pause between two tries for a lock takes, in ms, and that any does. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 16;
/** How long `forgetDeleted` tries, in ms. */
const CHECKPOINT_PATIENCE = 1_000;

/** A prepared statement whose rows have a type. */
export class Query<Row> {
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
  }

  /** The first row. */
  get(...values: SqlValue[]): Row | undefined {
    return this.#statement.get(...values) as Row | undefined;
  }

  /** All rows. */
  all(...values: SqlValue[]): Row[] {
    return this.#statement.all(...values) as Row[];
  }

  /** Executes it; returns how many rows it changed. */
  run(...values: SqlValue[]): number {
    return Number(this.#statement.run(...values).changes);
  }
}

/** The one connection to the database file: the slice of `node:sqlite` that the store uses, with patience for locks. */
export class Client {
  readonly path: string;
  /** How long a call may take, in ms. */
  readonly deadline: number;
  readonly #database: DatabaseSync;
  readonly #begin: Query<never>;
  readonly #beginImmediate: Query<never>;
  readonly #commit: Query<never>;
  readonly #checkpoint: Query<{ readonly busy: number }>;
  #isClosed = false;

  /** Opens or creates the file; blocks while another process does the same. @throws {StoreError} that says what to do. */
  constructor(path: string, deadline: number) {
    this.path = path;
    this.deadline = deadline;
    try {
      this.#database = new DatabaseSync(path);
    } catch (error) {
      throw translate(error, path);
    }
    try {
      this.#blocking(() => this.#prepare());
    } catch (error) {
      this.#database.close();
      throw translate(error, path);
    }
    this.#begin = this.query("BEGIN");
    this.#beginImmediate = this.query("BEGIN IMMEDIATE");
    this.#commit = this.query("COMMIT");
    this.#checkpoint = this.query("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Prepares a statement, once and for all. Its parameters are plain `?`: node 22.13 takes numbered ones for named. */
  query<Row = never>(sql: string): Query<Row> {
    return new Query<Row>(this.#database.prepare(sql));
  }

  /** Runs reads that see one state of the database; waits where they meet a lock. */
  async read<T>(body: () => T): Promise<T> {
    return this.patiently(() => {
      this.#begin.run();
      return this.#finish(body);
    });
  }

  /** Tries until nobody else holds the lock that `attempt` needs. @throws {StoreError} at the deadline. */
  async patiently<T>(attempt: () => T): Promise<T> {
    const end = performance.now() + this.deadline;
    for (let tries = 0; ; tries++) {
      if (this.#isClosed) throw closed(this.path);
      try {
        return attempt();
      } catch (error) {
        if (!isBusy(error) || performance.now() >= end) throw translate(error, this.path);
      }
      await pause(fullJitter(tries, FIRST_PAUSE, LONGEST_PAUSE, Math.random));
    }
  }

  /** Begins a transaction that writes; throws at once where somebody else does. */
  begin(): void {
    this.#beginImmediate.run();
  }

  commit(): void {
    this.#commit.run();
  }

  /** Undoes a transaction, unless SQLite did so by itself. */
  rollback(): void {
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite ended the transaction when the statement failed.
    }
  }

  /**
   * Empties the write-ahead log, so that what was deleted or overwritten is not left there. Tries for about a second: where another
   * process reads all the while, the log is emptied by a later checkpoint.
   */
  async forgetDeleted(): Promise<void> {
    const end = performance.now() + CHECKPOINT_PATIENCE;
    while ((await this.patiently(() => this.#checkpoint.get()))?.busy !== 0 && performance.now() < end) {
      await pause(Math.random() * LONGEST_PAUSE);
    }
  }

  /** Closes the file; repeatable. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#database.close();
  }

  #finish<T>(body: () => T): T {
    try {
      const result = body();
      this.#commit.run();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #prepare(): void {
    this.#database.exec("PRAGMA busy_timeout = 1000");
    // secure_delete overwrites what is deleted, so that erased and redacted data does not linger in free pages.
    const mode = this.#database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
    if (mode !== "wal" && mode !== "memory") throw noSharedMemory(this.path);
    this.#database.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON");
    // Where the system has it (macOS), only this makes a disk write its cache.
    this.#database.exec("PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
    prepareSchema(this.#database, this.path);
    this.#database.exec(`PRAGMA busy_timeout = ${BLOCKING_WAIT}`);
  }

  #blocking(attempt: () => void): void {
    const end = performance.now() + this.deadline;
    const clock = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      try {
        attempt();
        return;
      } catch (error) {
        if (!isBusy(error) || performance.now() >= end) throw error;
      }
      Atomics.wait(clock, 0, 0, 1 + Math.random() * LONGEST_PAUSE);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
