import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildGoogle } from "../../functions/gcp/build.ts";
import { emulatorEnvironment, firebaseScript } from "../../functions/gcp/firebase-tools.ts";
import { findFirestoreJar } from "../../functions/gcp/firestore-jar.ts";
import { freePort } from "./firestore-emulator.ts";

/** How long the emulators may take to start and to stop, in ms. */
const START_TIME = 90_000;
const STOP_TIME = 20_000;

const ROOT = resolve(import.meta.dirname, "../..");
/** The emulators that are asked for, and those that come with them. */
const EMULATORS = ["firestore", "auth", "functions", "eventarc", "tasks", "hub", "logging"] as const;

/** Firebase's emulators with the built functions and the deployed rules. */
export interface FirebaseEmulators {
  readonly project: string;
  /** `127.0.0.1:port` */
  readonly firestore: string;
  readonly auth: string;
  /** The URL of the function `command`. */
  readonly url: string;
  /** What the emulators and the functions said so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Builds the functions and starts the emulators as `firebase.json` says, but on free ports, in a folder of their own. */
export async function startFirebaseEmulators(environment: Readonly<Record<string, string>> = {}): Promise<FirebaseEmulators> {
  // Without it firebase-tools would go and download one.
  if (findFirestoreJar() === undefined) throw new Error("name the JAR of the Firestore emulator in FIRESTORE_EMULATOR_JAR");
  const folder = await mkdtemp(join(tmpdir(), "evenant-firebase-"));
  await buildGoogle({ name: "firebase", folder: join(folder, "functions") });
  for (const file of ["firestore.rules", "firestore.indexes.json"]) await copyFile(join(ROOT, file), join(folder, file));
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(join(folder, "functions", ".env"), variables.join(""));
  const ports = new Map<string, number>();
  for (const name of EMULATORS) ports.set(name, await freePort());
  await writeFile(join(folder, "firebase.json"), JSON.stringify(await settingOf(ports)));
  const project = "demo-evenant";
  const args = [firebaseScript(), "emulators:start", "--project", project, "--only", "firestore,auth,functions"];
  const child = spawn(process.execPath, args, {
    cwd: folder,
    // An emulator that somebody runs already is none of these functions' business.
    env: { ...process.env, FIRESTORE_EMULATOR_HOST: "", ...emulatorEnvironment(folder), XDG_CONFIG_HOME: folder, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that whatever it started goes with it.
    detached: true,
  });
  const killAll = () => killGroup(child);
  process.once("exit", killAll);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  child.stderr.setEncoding("utf8").on("data", (part) => (text += part));
  const stop = async () => {
    child.kill("SIGINT");
    if (child.exitCode === null) await Promise.race([once(child, "exit"), sleep(STOP_TIME, undefined, { ref: false })]);
    killAll();
    process.removeListener("exit", killAll);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(child, () => text);
  } catch (error) {
    await stop();
    throw error;
  }
  const at = (name: string) => `127.0.0.1:${ports.get(name)}`;
  return {
    project,
    firestore: at("firestore"),
    auth: at("auth"),
    url: `http://${at("functions")}/${project}/us-central1/command`,
    log: () => text,
    stop,
  };
}

async function settingOf(ports: ReadonlyMap<string, number>): Promise<object> {
  const deployed = JSON.parse(await readFile(join(ROOT, "firebase.json"), "utf8"));
  const emulators = Object.fromEntries([...ports].map(([name, port]) => [name, { host: "127.0.0.1", port }]));
  return {
    firestore: deployed.firestore,
    functions: deployed.functions.map((codebase: object) => ({ ...codebase, source: "functions" })),
    emulators: {
      ...deployed.emulators,
      ...emulators,
      firestore: { ...emulators.firestore, websocketPort: await freePort() },
    },
  };
}

async function ready(child: ChildProcess, said: () => string): Promise<void> {
  const deadline = Date.now() + START_TIME;
  while (!said().includes("All emulators ready")) {
    if (child.exitCode !== null) throw new Error(`the emulators ended with status ${child.exitCode}:\n${said()}`);
    if (Date.now() > deadline) throw new Error(`the emulators did not start within ${START_TIME / 1000} s:\n${said()}`);
    await sleep(50);
  }
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
