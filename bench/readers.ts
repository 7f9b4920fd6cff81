// npm run bench -- readers [--runs=3] [--quick]: replay, rebuild, and how soon a view shows a command, on every store. Emulators stand for clouds.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Report } from "./part.ts";
import type { ReaderFacts } from "./readers-worker.ts";
import { machine, median } from "./report.ts";

/** How many events each store is measured with: as many as it takes in some seconds. */
const EVENTS = { memory: 100_000, SQLite: 100_000, DynamoDB: 5_000, Firestore: 3_000 } as const;

/** Measures each store in a process of its own, in each run. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: "string", default: "3" }, quick: { type: "boolean", default: false } },
  });
  const runs = values.quick ? 1 : Number(values.runs);
  const facts = new Map<string, ReaderFacts[]>();
  for (let run = 1; run <= runs; run++) {
    for (const [store, events] of Object.entries(EVENTS)) {
      process.stderr.write(`run ${run} of ${runs}: ${store} …\n`);
      facts.set(store, [...(facts.get(store) ?? []), await measureOne(store, values.quick ? events / 10 : events)]);
    }
  }
  const text = [
    "## Readers",
    "One tenant, 200 aggregates, 5 events a commit, one view an aggregate. A replay hands every event to one handler; a rebuild folds them into views beside the live ones and switches. " +
      "Operations are what the database charges: documents on Firestore, units on DynamoDB; elsewhere commits and views read, and views and cursors written. " +
      "A lag is from the acknowledgement of a command, sent alone, until its view is stored, by a reader that runs on `watch`.",
    [machine(), `- Node ${process.version}; medians of ${runs} interleaved runs, each in a process of its own`].join("\n"),
    [
      "| store | events | replay, events/s | its operations a 1,000 events | rebuild, events/s | views/s | its operations a 1,000 events | peak memory | lag, median | lag, p99 |",
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
      ...Object.keys(EVENTS).map((store) => row(store, facts.get(store) ?? [])),
    ].join("\n"),
  ].join("\n\n");
  return { text, isWhole: !values.quick && runs >= 3 };
}

async function measureOne(store: string, events: number): Promise<ReaderFacts> {
  const script = fileURLToPath(new URL("readers-worker.ts", import.meta.url));
  const child = fork(script, [store, String(events)], {
    env: { ...process.env, NODE_ENV: "production", METADATA_SERVER_DETECTION: "none" },
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
  });
  const [told] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [ReaderFacts | number | null];
  if (told === null || typeof told === "number") throw new Error(`${store} ended with ${told} and told nothing`);
  return told;
}

function row(store: string, all: readonly ReaderFacts[]): string {
  const of = (fact: keyof ReaderFacts) => median(all.map((facts) => facts[fact]));
  const whole = (value: number) => Math.round(value).toLocaleString("en");
  const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
  const cells = [
    store,
    whole(of("events")),
    whole(of("replayed")),
    whole(of("replaying")),
    whole(of("rebuilt")),
    whole(of("views")),
    whole(of("rebuilding")),
    `${whole(of("memory"))} MB`,
    ms(of("lag")),
    ms(of("lagOfFew")),
  ];
  return `| ${cells.join(" | ")} |`;
}
