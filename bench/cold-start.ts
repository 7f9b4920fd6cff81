import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildGoogle } from "../functions/gcp/build.ts";
import { type FirebaseEmulators, startFirebaseEmulators } from "../test/support/firebase-emulators.ts";
import { signUp } from "../test/support/firebase-users.ts";
import { freePort } from "../test/support/firestore-emulator.ts";

/** How long the built function of Google Cloud takes from the start of its process to its answers: `node bench/cold-start.ts [times]`. */

/** One start, in ms. */
interface Start {
  /** Until /healthz is answered: the framework, the bundle, the SDKs of Firebase. */
  readonly health: number;
  /** The first command after it: token, connection to Firestore, a new tenant, commit. */
  readonly first: number;
  /** The next one. */
  readonly second: number;
  /** Processor time of all of it; what neighbours on the machine do not change. */
  readonly processor: number;
  /** Resident memory at the end, in MiB. */
  readonly memory: number;
}

const framework = join(createRequire(import.meta.url).resolve("@google-cloud/functions-framework"), "..", "main.js");

async function start(emulators: FirebaseEmulators, folder: string, token: string, round: number): Promise<Start> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const begin = performance.now();
  const child = spawn(process.execPath, [framework], {
    stdio: "ignore",
    env: {
      ...process.env,
      PORT: String(port),
      FUNCTION_TARGET: "command",
      FUNCTION_SOURCE: folder,
      FUNCTIONS_EMULATOR: "true",
      FIRESTORE_EMULATOR_HOST: emulators.firestore,
      FIREBASE_AUTH_EMULATOR_HOST: emulators.auth,
      GOOGLE_CLOUD_PROJECT: emulators.project,
      METADATA_SERVER_DETECTION: "none",
    },
  });
  const send = async () => {
    const response = await fetch(`${url}/commands/AddNumbers`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ aggregateId: `c${round}`, number1: 1, number2: 2 }),
    });
    if (response.status !== 200) throw new Error(await response.text());
    await response.arrayBuffer();
    return performance.now();
  };
  try {
    while (!(await isHealthy(url))) {
      if (child.exitCode !== null) throw new Error(`the function ended with status ${child.exitCode}`);
      await sleep(5);
    }
    const healthy = performance.now();
    const first = await send();
    const second = await send();
    return { health: healthy - begin, first: first - healthy, second: second - first, ...usageOf(child.pid) };
  } finally {
    child.kill("SIGKILL");
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

/** From Linux's /proc, where ticks are 10 ms. */
function usageOf(pid: number | undefined): Pick<Start, "processor" | "memory"> {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return { processor: 10 * (Number(fields[11]) + Number(fields[12])), memory: Number(resident) / 1024 };
}

const folder = mkdtempSync(join(tmpdir(), "evenant-cold-"));
const { bytes } = await buildGoogle({ name: "gcloud", folder });
const emulators = await startFirebaseEmulators();
try {
  const ada = await signUp(emulators, "ada", { tenant: "acme", roles: ["user"] });
  const token = await ada.token();
  const starts: Start[] = [];
  for (let round = 0; round < Number(process.argv[2] ?? 9); round++) starts.push(await start(emulators, folder, token, round));
  await ada.close();
  console.log(`bundle ${bytes} bytes; ${starts.length} starts; least, median, most:`);
  for (const name of ["health", "first", "second", "processor", "memory"] as const) {
    const values = starts.map((one) => Math.round(one[name])).sort((a, b) => a - b);
    console.log(`${name.padEnd(10)} ${values[0]} ${values[Math.floor(values.length / 2)]} ${values.at(-1)}`);
  }
} finally {
  await emulators.stop();
  rmSync(folder, { recursive: true });
}
