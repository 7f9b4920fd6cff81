// npm run bench -- firestore [--seconds=4] [--runs=3] [--project=ID]: commands a second alone, 32 in flight, and from 4 and 8 processes.
//
// On the emulator; with --project in a real project, with the application default credentials, where it writes some ten thousand
// documents below `tenants/`, `counters/`, `counted/` and `clocked/` and deletes them in the end: use a project made for it.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Firestore } from "@google-cloud/firestore";
import { FirestoreEventStore } from "../adapters/firestore/index.ts";
import { defaultPlatform } from "../core/index.ts";
import { firestoreEmulator } from "../test/support/firestore-emulator.ts";
import { newProject } from "../test/support/firestore-store.ts";
import { designs } from "./firestore-designs.ts";
import type { Report } from "./part.ts";
import { machine, median } from "./report.ts";

const LOADS = [
  { title: "1 in flight", processes: 1, inFlight: 1 },
  { title: "32 in flight", processes: 1, inFlight: 32 },
  { title: "4 processes", processes: 4, inFlight: 1 },
  { title: "8 processes", processes: 8, inFlight: 1 },
] as const;
type Load = (typeof LOADS)[number];

/** What one run of one design under one load gave, in commands a second: of all processes, and of the slowest. */
interface Rate {
  readonly total: number;
  readonly least: number;
}

/** Measures the three designs under each load, on one tenant: every run measures all of them, and the medians are told. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: "4" },
      runs: { type: "string", default: "3" },
      project: { type: "string" },
    },
  });
  const [seconds, runs] = [Number(values.seconds), Number(values.runs)];
  const rates = new Map<string, Rate[]>();
  for (let run = 1; run <= runs; run++) {
    for (const load of LOADS) {
      for (const { name } of designs) {
        process.stderr.write(`run ${run} of ${runs}: ${name}, ${load.title} …\n`);
        const key = `${name}, ${load.title}`;
        rates.set(key, [...(rates.get(key) ?? []), await measureOne(name, load, seconds, values.project)]);
      }
    }
  }
  const place = values.project === undefined ? "on Google's emulator" : "in a real project";
  const text = [
    "## Firestore",
    `Commands a second on one tenant ${place}, each with a snapshot, ${seconds} s a run; a share is the slowest process' rate beside the mean of all.`,
    [machine(), `- Node ${process.version}; medians of ${runs} interleaved runs`].join("\n"),
    [
      `| design | ${LOADS.map(({ title }) => title).join(" | ")} | slowest of 4 | slowest of 8 |`,
      "|---|--:|--:|--:|--:|--:|--:|",
      ...designs.map(({ name }) => row(name, rates)),
    ].join("\n"),
  ].join("\n\n");
  return { text, isWhole: values.project === undefined && seconds >= 4 && runs >= 3 };
}

function row(name: string, rates: ReadonlyMap<string, readonly Rate[]>): string {
  const of = ({ title }: Load) => rates.get(`${name}, ${title}`) ?? [];
  const totals = LOADS.map((load) => median(of(load).map(({ total }) => total)).toFixed(0));
  const shares = LOADS.filter(({ processes }) => processes > 1).map((load) => {
    const all = of(load).map(({ total, least }) => (total === 0 ? 0 : (100 * least * load.processes) / total));
    return `${median(all).toFixed(0)}%`;
  });
  return `| ${[name, ...totals, ...shares].join(" | ")} |`;
}

async function measureOne(name: string, load: Load, seconds: number, project: string | undefined): Promise<Rate> {
  const settings = project === undefined ? await emulatorSettings() : { projectId: project };
  const tenant = `bench-${defaultPlatform.newId()}`;
  const client = new Firestore(settings);
  const store = new FirestoreEventStore(client);
  try {
    await store.open(tenant);
    const startAt = Date.now() + 2_500 + load.processes * 500;
    const counts = await Promise.all(
      Array.from({ length: load.processes }, (_, n) =>
        send([name, JSON.stringify(settings), tenant, `p${n}`, load.inFlight, startAt, seconds].map(String)),
      ),
    );
    const each = counts.map((count) => count / seconds);
    return { total: each.reduce((sum, rate) => sum + rate, 0), least: Math.min(...each) };
  } finally {
    if (project !== undefined) {
      await store.erase(tenant);
      for (const path of [`counters/${tenant}`, `counted/${tenant}`, `clocked/${tenant}`])
        await client.recursiveDelete(client.doc(path));
    }
    await store.close();
    await client.terminate();
  }
}

async function emulatorSettings() {
  const { host } = await firestoreEmulator();
  return { projectId: newProject(), host, ssl: false, customHeaders: { Authorization: "Bearer owner" } };
}

/** How many commands a process of its own carried out. */
function send(facts: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("firestore-sender.ts", import.meta.url)), facts, {
      env: { ...process.env, METADATA_SERVER_DETECTION: "none" },
    });
    let count: number | undefined;
    child.on("message", (message) => {
      count = Number(message);
    });
    child.on("error", reject);
    child.on("exit", (code) => (count === undefined ? reject(new Error(`a sender ended with status ${code}`)) : resolve(count)));
  });
}
