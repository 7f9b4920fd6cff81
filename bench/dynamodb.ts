// npm run bench -- dynamodb [--runs=5] [--duration=2000]: commands on one tenant, on dynoxide. Requests and units count; the wall clock is an emulator's.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { dynamoDbEndpoint } from "../test/support/dynamodb-server.ts";
import { engines } from "./dynamodb-engines.ts";
import type { Told } from "./dynamodb-sender.ts";
import { installPeers } from "./install.ts";
import type { Report } from "./part.ts";
import { median, surroundings } from "./report.ts";

const LOADS = [1, 4, 8].flatMap((processes) => [1, 16].map((inFlight) => ({ processes, inFlight })));
type Load = (typeof LOADS)[number];

/** What one run of one engine under one load gave. */
interface Outcome {
  readonly rate: number;
  /** The slowest process' part of what an even share would be. */
  readonly share: number;
  readonly requests: number;
  readonly units: number;
}

type Outcomes = Map<string, Outcome[]>;

/** Measures each engine under each load on one tenant: every run measures all of them, and the medians are told. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: "string", default: "5" }, duration: { type: "string", default: "2000" } },
  });
  await installPeers();
  const endpoint = await dynamoDbEndpoint();
  const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
  const names = Object.keys(engines);
  const outcomes: Outcomes = new Map();
  const runs = Number(values.runs);
  for (let run = 1; run <= runs; run++) {
    for (const load of LOADS) {
      for (const name of names) {
        process.stderr.write(`run ${run} of ${runs}: ${load.processes} x ${load.inFlight}, ${name} …\n`);
        const key = keyOf(name, load);
        const table = `${key}-${run}`;
        await engines[name]?.makeTable(client, table);
        outcomes.set(key, [...(outcomes.get(key) ?? []), await measureOne(load, [name, endpoint, table], values.duration)]);
      }
    }
  }
  client.destroy();

  const text = [
    "## DynamoDB",
    `By \`npm run bench -- dynamodb\`: ${values.duration} ms a run, all processes on one tenant, warm aggregates of a few events, no snapshots.`,
    await surroundings([{ packages: ["@castore/core", "@castore/event-storage-adapter-dynamodb"] }], runs),
    [
      "| engine | processes | in flight each | requests a command | units a command | commands/s (emulator) | range | x castore | slowest process |",
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
      ...LOADS.flatMap((load) => names.map((name) => row(name, load, outcomes))),
    ].join("\n"),
  ].join("\n\n");
  return { text, isWhole: runs >= 5 };
}

async function measureOne({ processes, inFlight }: Load, facts: readonly string[], duration: string): Promise<Outcome> {
  const script = fileURLToPath(new URL("dynamodb-sender.ts", import.meta.url));
  const children = Array.from({ length: processes }, (_, n) =>
    fork(script, [...facts, `p${n}`, String(inFlight), duration], {
      env: { ...process.env, NODE_ENV: "production" },
    }),
  );
  // Together on purpose: they begin at one moment, and share the tenant.
  await Promise.all(children.map((child) => once(child, "message")));
  const told = await Promise.all(
    children.map(async (child) => {
      child.send("go");
      return (await once(child, "message"))[0] as Told;
    }),
  );
  const rates = told.map(({ commandsPerSecond }) => commandsPerSecond);
  const rate = rates.reduce((sum, one) => sum + one, 0);
  const mean = (fact: "requests" | "units") => told.reduce((sum, one) => sum + one[fact], 0) / told.length;
  return { rate, share: (Math.min(...rates) / rate) * processes, requests: mean("requests"), units: mean("units") };
}

function row(name: string, load: Load, outcomes: Outcomes): string {
  const medianOf = (fact: keyof Outcome, of = name) =>
    median((outcomes.get(keyOf(of, load)) ?? []).map((outcome) => outcome[fact]));
  const rates = (outcomes.get(keyOf(name, load)) ?? []).map(({ rate }) => Math.round(rate));
  const cells = [
    name === "evenant" ? "**evenant**" : name,
    load.processes,
    load.inFlight,
    medianOf("requests").toFixed(2),
    medianOf("units").toFixed(2),
    Math.round(medianOf("rate")),
    `${Math.min(...rates)} – ${Math.max(...rates)}`,
    (medianOf("rate") / medianOf("rate", "castore")).toFixed(2),
    `${Math.round(100 * medianOf("share"))} % of its share`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function keyOf(name: string, { processes, inFlight }: Load): string {
  return `${name}-${processes}-${inFlight}`;
}
