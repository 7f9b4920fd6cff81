import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import type { NamedContender } from "./contender.ts";
import type { Measurement, Scenario } from "./scenario.ts";
import type { Outcome } from "./trial.ts";

/** All outcomes of one contender in one scenario, one a run. */
export interface Result {
  contender: NamedContender;
  outcomes: Outcome[];
}

/** The machine, and the version of everything that was measured, in Markdown. */
export async function surroundings(contenders: readonly Pick<NamedContender, "packages">[], runs: number): Promise<string> {
  const packages = [...new Set(contenders.flatMap((contender) => contender.packages))];
  const versions = await Promise.all(packages.map(async (name) => `${name} ${await versionOf(name)}`));
  return [
    machine(),
    `- Node ${process.version}, SQLite ${process.versions.sqlite} in node:sqlite`,
    ...(versions.length > 0 ? [`- ${versions.join(", ")}`] : []),
    `- Medians of ${runs} interleaved runs, each in a process of its own; the range is what the runs gave. Other work on the machine moves all of them.`,
  ].join("\n");
}

/** The machine, as a line of a list in Markdown. */
export function machine(): string {
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `- Machine: ${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${memory} of memory, ${platform()} ${arch()}`;
}

async function versionOf(name: string): Promise<string> {
  const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return readFile(manifest, "utf8").then(
    (text) => JSON.parse(text).version,
    () => "not installed",
  );
}

/** One scenario's table, in Markdown; the ratio is to the fastest peer, above 1 is faster. */
export function table({ name, title, unit }: Scenario, results: readonly Result[]): string {
  const best = bestPeer(unit, results);
  const rows = results.map(({ contender, outcomes }) => {
    const measured = measurements(outcomes);
    const label = contender.kind === "ours" ? `**${contender.name}**` : contender.name;
    const notes = [contender.notes?.[name], measured.find(({ note }) => note !== undefined)?.note, failureOf(outcomes)];
    const note = notes
      .filter((text) => text !== undefined)
      .join("; ")
      .replaceAll("|", "\\|")
      .replaceAll("\n", " ");
    if (measured.length === 0) return `| ${label} | – | – | – | ${note} |`;
    const values = measured.map(({ value }) => value).sort((a, b) => a - b);
    const range = `${shown(values[0]!)} – ${shown(values.at(-1)!)}`;
    return `| ${label} | ${shown(median(values))} | ${range} | ${ratio(unit, median(values), best)} | ${note} |`;
  });
  return [`### ${title}`, "", `| \`${name}\` | ${unit} | range | x fastest peer | |`, "|---|--:|--:|--:|---|", ...rows].join(
    "\n",
  );
}

function bestPeer(unit: Scenario["unit"], results: readonly Result[]): number | undefined {
  const peers = results.filter(({ contender }) => contender.kind === "peer").map(({ outcomes }) => measurements(outcomes));
  const medians = peers.filter((measured) => measured.length > 0).map((measured) => median(measured.map(({ value }) => value)));
  if (medians.length === 0) return undefined;
  return unit === "ms" ? Math.min(...medians) : Math.max(...medians);
}

/** Only what has a speed has a fastest. */
function ratio(unit: Scenario["unit"], value: number, best: number | undefined): string {
  if (best === undefined || unit === "of 32" || unit === "times") return "–";
  return (unit === "ms" ? best / value : value / best).toFixed(2);
}

function measurements(outcomes: readonly Outcome[]): Measurement[] {
  return outcomes.filter((outcome) => "value" in outcome);
}

function failureOf(outcomes: readonly Outcome[]): string | undefined {
  const failed = outcomes.filter((outcome) => "failed" in outcome);
  return failed[0] && `failed in ${failed.length} of ${outcomes.length} runs: ${failed[0].failed.slice(0, 160)}`;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function shown(value: number): string {
  return value.toLocaleString("en", value < 10 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 0 });
}
