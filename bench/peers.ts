// npm run bench [-- contender or scenario names …] [--quick] [--runs=5]
import { parseArgs } from "node:util";
import type { NamedContender } from "./contender.ts";
import { contenderNamed, contenderNames } from "./contenders.ts";
import { installPeers } from "./install.ts";
import { writeSection } from "./page.ts";
import { type Result, surroundings, table } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import { trial } from "./trial.ts";

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, runs: { type: "string" } },
});
const runs = Number(options.runs ?? (options.quick ? 1 : 5));

await installPeers();
const allContenders = await Promise.all((await contenderNames()).map(contenderNamed));
const unknown = names.filter((name) => ![...allContenders, ...scenarios].some((one) => one.name === name));
if (unknown.length > 0) throw new Error(`neither a contender nor a scenario: ${unknown.join(", ")}`);
const contenders = chosen(allContenders);
const measured = chosen(scenarios).map((scenario) => ({ scenario, results: resultsOf(scenario) }));

for (let run = 1; run <= runs; run++) {
  for (const { scenario, results } of measured) {
    for (const { contender, outcomes } of results) {
      process.stderr.write(`run ${run} of ${runs}: ${scenario.name}, ${contender.name} …\n`);
      outcomes.push(await trial(contender.name, scenario.name, options.quick));
    }
  }
}

const tables = measured.map(({ scenario, results }) => table(scenario, results));
const report = [await surroundings(contenders, runs), ...tables].join("\n\n");
console.log(`\n${report}`);
if (names.length === 0 && !options.quick)
  await writeSection("Beside its peers", `What is measured, and how, is in \`bench/scenarios\`.\n\n${report}`);

/** Those named on the command line, or all when none is. */
function chosen<T extends { name: string }>(all: readonly T[]): T[] {
  const some = all.filter(({ name }) => names.includes(name));
  return some.length > 0 ? some : [...all];
}

function resultsOf(scenario: Scenario): Result[] {
  const entrants = contenders.filter((contender) => contender.kind !== "baseline" || scenario.name === "sqlite-32");
  return entrants.map((contender: NamedContender) => ({ contender, outcomes: [] }));
}
