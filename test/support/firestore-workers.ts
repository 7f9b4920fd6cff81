import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { firestoreEmulator } from "./firestore-emulator.ts";

/** What a worker told on one line. */
export type Told = Readonly<Record<string, unknown>>;

/** A process that works on a tenant in the emulator. */
export interface Worker {
  readonly child: ChildProcess;
  /** What it told so far. */
  readonly told: readonly Told[];
  /** Resolves to its exit code when it has ended and everything it told is read; null if a signal ended it. */
  readonly ended: Promise<number | null>;
}

/** Starts `firestore-worker.ts` with a kind of work on a tenant; `heard` is called for each line that it tells. */
export async function startWorker(
  work: string,
  { projectId, tenant }: { readonly projectId: string; readonly tenant: string },
  facts: readonly (string | number)[],
  heard?: (told: Told, worker: Worker) => void,
): Promise<Worker> {
  const { host } = await firestoreEmulator();
  const script = fileURLToPath(new URL("firestore-worker.ts", import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, script, work, projectId, tenant, ...facts.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, FIRESTORE_EMULATOR_HOST: host },
  });
  const told: Told[] = [];
  const lines = createInterface({ input: child.stdout! });
  const ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code]]) => code as number | null);
  const worker = { child, told, ended };
  lines.on("line", (line) => {
    const facts = JSON.parse(line) as Told;
    told.push(facts);
    heard?.(facts, worker);
  });
  return worker;
}
