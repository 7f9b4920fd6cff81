import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EMULATOR_CLASS, findFirestoreJar } from "../../functions/gcp/firestore-jar.ts";

/** How long the emulator may take to answer, in ms: 2 to 8 s on an idle machine. */
const START_TIME = 60_000;

/** A Firestore emulator that answers. */
export interface Emulator {
  /** `127.0.0.1:port`, as `FIRESTORE_EMULATOR_HOST` wants it. */
  readonly host: string;
}

let running: Promise<Emulator> | undefined;

/** The one emulator of this run of mocha, started by whoever needs it first and stopped with the process; or the one of `FIRESTORE_EMULATOR_HOST`. */
export function firestoreEmulator(): Promise<Emulator> {
  const given = process.env.FIRESTORE_EMULATOR_HOST;
  running ??= given ? Promise.resolve({ host: given }) : start();
  return running;
}

/** What is missing to run the emulator, as a sentence for people; undefined where nothing is. */
export function missingForFirestore(): string | undefined {
  if (process.env.FIRESTORE_EMULATOR_HOST) return undefined;
  if (findFirestoreJar() === undefined)
    return "the Firestore emulator is not installed: run `npx firebase-tools setup:emulators:firestore`, or name its JAR in FIRESTORE_EMULATOR_JAR";
  try {
    execFileSync("java", ["-version"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "Java is not installed: the Firestore emulator needs version 17 or newer";
  }
}

/** Skips a suite loudly where there is no emulator; where CI is set, fails it. Use it in a `before` of the suite. */
export function needsFirestore(context: { skip(): unknown }): void {
  const missing = missingForFirestore();
  if (missing === undefined) return;
  if (process.env.CI) throw new Error(missing);
  console.warn(`\n  SKIPPED: ${missing}\n`);
  context.skip();
}

async function start(): Promise<Emulator> {
  const jar = findFirestoreJar();
  if (jar === undefined) throw new Error(missingForFirestore());
  const port = await freePort();
  // The emulator keeps notes where it is started.
  const folder = mkdtempSync(join(tmpdir(), "evenant-firestore-"));
  const child = spawn("java", ["-cp", jar, EMULATOR_CLASS, "--host", "127.0.0.1", "--port", String(port)], {
    cwd: folder,
    env: { ...process.env, METADATA_SERVER_DETECTION: "none" },
    stdio: "ignore",
  });
  child.unref();
  process.once("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  // A signal ends a process without its exit being told; this way the emulator goes with it.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  // The clients of this process would look for a metadata server too, and complain that there is none.
  process.env.METADATA_SERVER_DETECTION = "none";
  await answers(child, port);
  return { host: `127.0.0.1:${port}` };
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the Firestore emulator ended with status ${code} before it answered`)));
  });
  ended.catch(() => {});
  const deadline = Date.now() + START_TIME;
  while (Date.now() < deadline) {
    const answer = await Promise.race([ask(port), ended]);
    if (answer) return;
    await sleep(100);
  }
  throw new Error(`the Firestore emulator did not answer within ${START_TIME / 1000} s`);
}

async function ask(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/`)).ok;
  } catch {
    return false;
  }
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return address.port;
}
