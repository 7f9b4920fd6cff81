// npm run bench -- dynamodb [--runs=5] [--ms=1500]: commands on one tenant, on dynoxide. Requests and units count; the wall clock is an emulator's.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { dynamoDbEndpoint } from "../test/support/dynamodb-server.ts";
import { engines } from "./dynamodb-engines.ts";
import type { Job, Told } from "./dynamodb-sender.ts";
import { installPeers } from "./install.ts";
import type { Report } from "./part.ts";
import { median, surroundings } from "./report.ts";

/** As a rule ten events are there when a command comes; where one process is alone, also two, and fifty. */
const LOADS = [
  ...[1, 4, 8].flatMap((processes) => [1, 16].map((inFlight) => ({ processes, inFlight, commandsEach: 20 }))),
  ...[4, 100].flatMap((commandsEach) => [1, 16].map((inFlight) => ({ processes: 1, inFlight, commandsEach }))),
];
type Load = (typeof LOADS)[number];

/** What one run of one engine under one load gave. */
interface Outcome extends Told {
  /** The slowest process' part of an even share. */
  readonly share: number;
}

type Outcomes = Map<string, Outcome[]>;

/** Measures each engine under each load on one tenant: every run measures all of them, and the medians are told. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: "string", default: "5" }, ms: { type: "string", default: "1500" } },
  });
  const [runs, ms] = [Number(values.runs), Number(values.ms)];
  await installPeers();
  const endpoint = await dynamoDbEndpoint();
  const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
  const names = Object.keys(engines);
  const outcomes: Outcomes = new Map();
  for (let run = 1; run <= runs; run++) {
    for (const load of LOADS) {
      for (const name of names) {
        const key = keyOf(name, load);
        const table = `${key}-${run}`;
        process.stderr.write(`run ${run} of ${runs}: ${key} …\n`);
        await engines[name]?.makeTable(client, table);
        outcomes.set(key, [...(outcomes.get(key) ?? []), await measureOne(load, { engine: name, endpoint, table, ms })]);
      }
    }
  }
  client.destroy();

  const text = [
    "## DynamoDB",
    [
      `\`npm run bench -- dynamodb\`: ${ms} ms a run on dynoxide, all processes on one tenant, each lane on aggregates of its own that are warm and have`,
      "no snapshots. `castore` is its own adapter and reads all events of an aggregate at each command, so what is there counts; `parent` is the",
      "parent's design, rebuilt by its requests (snapshot, events, event, snapshot). Neither keeps a tenant's order. Requests and units are what a",
      "bill and a latency follow; the wall clock is the emulator's, which shares the processors with its clients and with whatever else runs.",
    ].join("\n"),
    await surroundings([{ packages: ["@castore/core", "@castore/event-storage-adapter-dynamodb"] }], runs),
    [
      "| engine | processes | in flight each | events there, mean | requests a command | units a command | ms of client CPU a command | commands/s (emulator) | range | x castore | slowest process |",
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
      ...LOADS.flatMap((load) => names.map((name) => row(name, load, outcomes))),
    ].join("\n"),
  ].join("\n\n");
  return { text, isWhole: runs >= 5 };
}

async function measureOne(
  { processes, inFlight, commandsEach }: Load,
  facts: Pick<Job, "engine" | "endpoint" | "table" | "ms">,
): Promise<Outcome> {
  const script = fileURLToPath(new URL("dynamodb-sender.ts", import.meta.url));
  const children = Array.from({ length: processes }, (_, n) => {
    const job: Job = { ...facts, prefix: `p${n}`, inFlight, commandsEach };
    return fork(script, [JSON.stringify(job)], { env: { ...process.env, NODE_ENV: "production" } });
  });
  // Together on purpose: they begin at one moment, and share the tenant.
  await Promise.all(children.map((child) => once(child, "message")));
  const told = await Promise.all(
    children.map(async (child) => {
      child.send("go");
      const [answer] = await once(child, "message");
      return answer as Told;
    }),
  );
  const sum = (fact: keyof Told) => told.reduce((all, one) => all + one[fact], 0);
  const slowest = Math.min(...told.map(({ rate }) => rate));
  const [rate, cpu, requests, units] = [
    sum("rate"),
    sum("cpu") / processes,
    sum("requests") / processes,
    sum("units") / processes,
  ];
  return { rate, cpu, requests, units, share: (slowest / rate) * processes };
}

function row(name: string, load: Load, outcomes: Outcomes): string {
  const factsOf = (fact: keyof Outcome, of = name) => (outcomes.get(keyOf(of, load)) ?? []).map((outcome) => outcome[fact]);
  const rates = factsOf("rate").map(Math.round);
  const cells = [
    name === "evenant" ? `**${name}**` : name,
    load.processes,
    load.inFlight,
    load.commandsEach / 2,
    median(factsOf("requests")).toFixed(2),
    median(factsOf("units")).toFixed(2),
    median(factsOf("cpu")).toFixed(2),
    median(rates).toFixed(0),
    `${Math.min(...rates)} – ${Math.max(...rates)}`,
    (median(factsOf("rate")) / median(factsOf("rate", "castore"))).toFixed(2),
    `${Math.round(100 * median(factsOf("share")))} % of its share`,
  ];
  return `| ${cells.join(" | ")} |`;
}

function keyOf(name: string, { processes, inFlight, commandsEach }: Load): string {
  return `${name}-${processes}-${inFlight}-${commandsEach}`;
}
