import { resolve } from "node:path";

/** What keeps the server or a tool from starting; its message is the one sentence that the user needs. */
export class SetupError extends Error {}

/** Settings from the environment. */
export interface Settings {
  /** 0 = any free port. */
  readonly port: number;
  /** An absolute path. */
  readonly dataDir: string;
}

/** Reads `PORT` (default 8080) and `DATA_DIR` (default `./data`). @throws {SetupError} for a port that is none. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const port = environment.PORT || "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new SetupError(`PORT is ${JSON.stringify(port)}: give a number from 0 (any free port) to 65535.`);
  }
  return { port: Number(port), dataDir: resolve(environment.DATA_DIR || "data") };
}

/** Ends the process with one sentence for what a user can mend, and with the whole story for anything else. */
export function fail(error: unknown): void {
  console.error(error instanceof SetupError ? error.message : error);
  process.exitCode = 1;
}
