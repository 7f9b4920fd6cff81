import { Err, StoreError, type StoreFailure } from "../../core/index.ts";

/** Primary result codes of SQLite (https://sqlite.org/rescode.html); the upper bits of a code say more, and are not needed. */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO_ERROR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

const ADVICE: Readonly<Record<number, { readonly sentence: string; readonly isTransient: boolean }>> = {
  [BUSY]: {
    sentence: "is locked by another process for too long: try again, or look for a program that holds it",
    isTransient: true,
  },
  [LOCKED]: { sentence: "is locked for too long: try again", isTransient: true },
  [READ_ONLY]: {
    sentence: "cannot be written: give this process the right to write the file and its folder",
    isTransient: false,
  },
  [IO_ERROR]: { sentence: "met a disk error: check the disk, then try again", isTransient: true },
  [CORRUPT]: { sentence: "is damaged: restore it from a backup", isTransient: false },
  [FULL]: { sentence: "has no room: free some space on the disk, then try again", isTransient: true },
  [CANNOT_OPEN]: {
    sentence: "cannot be opened: create its folder, and give this process the right to read and write there",
    isTransient: false,
  },
  [NOT_A_DATABASE]: { sentence: "is no SQLite database: give another path, or restore it from a backup", isTransient: false },
};

/** Whether somebody else holds a lock, so that waiting helps. */
export function isBusy(error: unknown): boolean {
  const code = codeOf(error);
  return code === BUSY || code === LOCKED;
}

/** Whether a failure is of the disk, so that a COMMIT which met it may be on the disk or not. */
export function isDiskError(error: unknown): boolean {
  return codeOf(error) === IO_ERROR;
}

/** Translates a failure of SQLite to a StoreError that says what to do; lets every other error through. */
export function translate(error: unknown, path: string, outcome: StoreFailure = "none"): unknown {
  if (error instanceof Err) return error;
  const code = codeOf(error);
  if (code !== undefined) {
    const advice = ADVICE[code];
    const sentence = advice?.sentence ?? `refused an operation (${(error as Error).message}): report it`;
    return new StoreError(`the database ${path} ${sentence}`, { retryable: advice?.isTransient ?? false, outcome, cause: error });
  }
  return error;
}

/** The error of a call that came after `close`. */
export function closed(path: string): StoreError {
  return new StoreError(`the store of ${path} is closed: make a new one`, { retryable: false });
}

/** The error for a file system on which SQLite cannot keep a write-ahead log. */
export function noSharedMemory(path: string): StoreError {
  return new StoreError(`the database ${path} cannot have a write-ahead log there: put it on a disk of this machine`, {
    retryable: false,
  });
}

function codeOf(error: unknown): number | undefined {
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return error instanceof Error && code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : undefined;
}
