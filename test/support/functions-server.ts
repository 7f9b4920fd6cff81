import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { developmentSecret } from "../../functions/secret.ts";
import { tokenOf } from "./functions-backend.ts";

/** The directory of package.json. */
export const HOME = resolve(import.meta.dirname, "../..");

/** How a process ended and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of ours, whose output can be waited for. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";
  #hasEnded = false;
  readonly #listeners = new Set<() => void>();

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}, isDetached = false) {
    this.process = spawn(command, args, {
      cwd: HOME,
      env: { ...process.env, PORT: "0", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: isDetached,
    });
    this.process.stdout?.setEncoding("utf8").on("data", (text) => this.#heard(() => (this.stdout += text)));
    this.process.stderr?.setEncoding("utf8").on("data", (text) => this.#heard(() => (this.stderr += text)));
    this.ended = once(this.process, "close").then(([code, signal]) => {
      this.#heard(() => (this.#hasEnded = true));
      return { code, signal, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Resolves as soon as the output matches; rejects when the process ends without it. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (found !== null) return found;
      if (this.#hasEnded) throw new Error(`the process ended without saying ${pattern}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((heard) => this.#listeners.add(heard));
    }
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<Ended> {
    this.process.kill(signal);
    return this.ended;
  }

  #heard(note: () => void): void {
    note();
    for (const heard of this.#listeners) heard();
    this.#listeners.clear();
  }
}

/** A server of its own process. */
export interface RunningServer {
  readonly child: Child;
  readonly url: string;
}

/** Starts what `npm start` starts, on any free port, and waits until it listens. */
export async function startServer(dataDir: string, environment: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const child = new Child(process.execPath, ["functions/serve.ts"], { DATA_DIR: dataDir, ...environment });
  const url = (await child.says(/listens on (http:\S+)[\s\S]*\?position=1"\n/))[1] as string;
  return { child, url };
}

/** Makes a token of a server's own secret. */
export async function madeToken(
  dataDir: string,
  tenant: string,
  roles: readonly string[] = ["manager", "user", "auditor"],
): Promise<string> {
  return tokenOf({ tenant, roles }, await developmentSecret(dataDir));
}

/** A directory for one test. */
export async function temporaryDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "evenant-functions-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
