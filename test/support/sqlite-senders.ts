import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A commit that a process says is acknowledged. */
export interface Acknowledged {
  readonly commitId: string;
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly position: number;
}

/** A process that sends commits to a SQLite store. */
export interface Sender {
  readonly child: ChildProcess;
  /** What it acknowledged so far. */
  readonly acknowledged: readonly Acknowledged[];
  /** Resolves to its exit code when it has ended and everything it wrote is read; null if a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts a process that sends `count` commits on aggregates that all such processes share; `told` is called for each. */
export function startSender(
  path: string,
  tenant: string,
  { count, seed, told }: { readonly count: number; readonly seed: number; readonly told?: (sender: Sender) => void },
): Sender {
  const script = fileURLToPath(new URL("sqlite-sender.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, path, tenant, String(count), String(seed)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const acknowledged: Acknowledged[] = [];
  const lines = createInterface({ input: child.stdout! });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code]]) => code as number | null);
  const sender = { child, acknowledged, ended };
  lines.on("line", (line) => {
    const [commitId = "", type = "", id = "", version, position] = line.split(" ");
    // A line that the end of the process cut short acknowledges nothing.
    if (position === undefined || position === "") return;
    acknowledged.push({ commitId, type, id, version: Number(version), position: Number(position) });
    told?.(sender);
  });
  return sender;
}
