// npm run bench -- load [--seconds=30] [--pairs=5] [--rate=5]: the local server on SQLite over HTTP, a process of its own.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SqliteEventStore } from "../adapters/sqlite/index.ts";
import { madeToken, startServer, temporaryDirectory } from "../test/support/functions-server.ts";
import { percentile, type Sent, sendCommands } from "./http-clients.ts";
import { measureFairness, type Tenant } from "./http-fairness.ts";
import type { Report } from "./part.ts";
import { machine } from "./report.ts";

const TENANTS = 20;
const CLIENTS = 200;
const FULL = { seconds: "30", pairs: "5", rate: "5" };

/** Measures 200 clients of 20 tenants that send one command after the other; then 19 quiet tenants with and without a noisy one. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: "string", default: FULL.seconds },
      pairs: { type: "string", default: FULL.pairs },
      rate: { type: "string", default: FULL.rate },
    },
  });
  const [seconds, pairs, rate] = [Number(values.seconds), Number(values.pairs), Number(values.rate)];
  const directory = await temporaryDirectory();
  const { child, url } = await startServer(directory.path);
  const tenants: Tenant[] = [];
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    tenants.push({ url, tenant: `t${tenant}`, token: await madeToken(directory.path, `t${tenant}`) });
  }

  const sent: Sent[] = [];
  const signal = AbortSignal.timeout(seconds * 1_000);
  const clients = Array.from({ length: CLIENTS }, (_, index) => ({ ...(tenants[index % TENANTS] as Tenant), name: `c${index}` }));
  await Promise.all(clients.map((client) => sendCommands(client, signal, (one) => sent.push(one))));
  const [noisy, ...quiet] = tenants as [Tenant, ...Tenant[]];
  const fairness = await measureFairness({ quiet, noisy, rate, seconds: 6, pairs });
  await child.kill("SIGTERM");

  const all = [sent, fairness.alone, fairness.beside, fairness.noisy].flat();
  await checkStored(join(directory.path, "evenant.db"), all);
  await directory.remove();
  const isWhole = JSON.stringify(values) === JSON.stringify(FULL);
  const ratio = p(fairness.beside, 0.99) / p(fairness.alone, 0.99);
  const text = [
    "## Over HTTP: the local server on SQLite, under load",
    `${machine()}\nOne process of \`npm start\`; clients, and other work, on the same machine. Each command has an \`Idempotency-Key\`.`,
    `| ${CLIENTS} clients of ${TENANTS} tenants for ${seconds} s, one command after the other | |\n|---|--:|\n| commands/s | ${Math.round(sent.length / seconds)} |\n| p50, p99 (ms) | ${ms(sent, 0.5)}, ${ms(sent, 0.99)} |\n| answers that were not 200 | ${statuses(sent)} |`,
    `| ${quiet.length} quiet tenants, ${rate} commands/s each | commands | p50 (ms) | p90 (ms) | p99 (ms) |\n|---|--:|--:|--:|--:|\n${row("alone", fairness.alone)}\n${row(`beside one that sends ${rate * 100}/s`, fairness.beside)}\n${row("the noisy one", fairness.noisy)}`,
    `The noisy tenant makes the others' p99 ${ratio.toFixed(2)} times as long (${pairs} pairs of turns of 6 s, in turns); answers that were not 200: ${statuses([fairness.alone, fairness.beside, fairness.noisy].flat())}. Every acknowledged command is stored once.`,
  ].join("\n\n");
  return { text, isWhole };
}

/** @throws {Error} where an acknowledged command is not in the log, or twice. */
async function checkStored(path: string, sent: readonly Sent[]): Promise<void> {
  const store = new SqliteEventStore({ path });
  const stored = new Map<string, number>();
  for (let tenant = 0; tenant < TENANTS; tenant++) {
    for (let after = 0, isLast = false; !isLast; ) {
      const { commits, next } = await store.read(`t${tenant}`, after, 1_000);
      for (const { receipt } of commits) {
        const key = receipt?.commandId ?? "";
        stored.set(key, (stored.get(key) ?? 0) + 1);
      }
      after = next;
      isLast = commits.length === 0;
    }
  }
  await store.close();
  for (const { key, status } of sent) {
    if (status === 200 && stored.get(key) !== 1)
      throw new Error(`${key} was acknowledged and is stored ${stored.get(key) ?? 0} times`);
  }
}

function p(sent: readonly Sent[], share: number): number {
  return percentile(
    sent.map((one) => one.ms),
    share,
  );
}

function ms(sent: readonly Sent[], share: number): string {
  return p(sent, share).toFixed(1);
}

function row(title: string, sent: readonly Sent[]): string {
  return `| ${title} | ${sent.length} | ${ms(sent, 0.5)} | ${ms(sent, 0.9)} | ${ms(sent, 0.99)} |`;
}

function statuses(sent: readonly Sent[]): string {
  const counts = new Map<number, number>();
  for (const { status } of sent) if (status !== 200) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts.size === 0 ? "none" : [...counts].map(([status, count]) => `${count} × ${status || "cut"}`).join(", ");
}
