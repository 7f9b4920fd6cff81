import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that says that it is ready, heeds one word, and tells lines. */
export interface Worker {
  readonly isReady: Promise<unknown>;
  readonly sayTheWord: () => void;
  /** Resolves to what it told after it was ready; rejects where it failed. */
  readonly ended: Promise<readonly string[]>;
  readonly kill: () => void;
}

/** Starts a script as a process. */
export function startWorker(script: URL, ...args: readonly string[]): Worker {
  const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const told: string[] = [];
  const isReady = once(lines, "line").then(() => lines.on("line", (line) => told.push(line)));
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code]]) => {
    if (code !== 0) throw new Error(`${script.pathname} ended with code ${code}`);
    return told;
  });
  // Whoever started it awaits it when its turn comes; until then a failure is nobody's.
  ended.catch(() => {});
  return { isReady, sayTheWord: () => child.stdin.end("go\n"), ended, kill: () => child.kill("SIGKILL") };
}
