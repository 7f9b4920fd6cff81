// npm run bench [-- peers] [contender or scenario names …] [--quick] [--runs=5]
import { parseArgs } from "node:util";
import type { NamedContender } from "./contender.ts";
import { contenderNamed, contenderNames } from "./contenders.ts";
import { installPeers } from "./install.ts";
import type { Report } from "./part.ts";
import { type Result, surroundings, table } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios/index.ts";
import { trial } from "./trial.ts";

/** Measures us beside other libraries, in memory and on SQLite: in each run every contender in every scenario, each in a process of its own. */
export async function measure(args: readonly string[]): Promise<Report> {
  const { values: options, positionals: names } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { quick: { type: "boolean", default: false }, runs: { type: "string" } },
  });
  const runs = Number(options.runs ?? (options.quick ? 1 : 5));

  await installPeers();
  const allContenders = await Promise.all((await contenderNames()).map(contenderNamed));
  const unknown = names.filter((name) => ![...allContenders, ...scenarios].some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`neither a contender nor a scenario: ${unknown.join(", ")}`);
  const contenders = chosen(allContenders, names);
  const measured = chosen(scenarios, names).map((scenario) => ({ scenario, results: resultsOf(scenario, contenders) }));

  for (let run = 1; run <= runs; run++) {
    for (const { scenario, results } of measured) {
      for (const { contender, outcomes } of results) {
        process.stderr.write(`run ${run} of ${runs}: ${scenario.name}, ${contender.name} …\n`);
        outcomes.push(await trial(contender.name, scenario.name, options.quick));
      }
    }
  }

  const tables = measured.map(({ scenario, results }) => table(scenario, results));
  const text = ["## Beside other libraries", await surroundings(contenders, runs), ...tables].join("\n\n");
  return { text, isWhole: names.length === 0 && !options.quick };
}

/** Those named on the command line, or all when none is. */
function chosen<T extends { name: string }>(all: readonly T[], names: readonly string[]): T[] {
  const some = all.filter(({ name }) => names.includes(name));
  return some.length > 0 ? some : [...all];
}

function resultsOf(scenario: Scenario, contenders: readonly NamedContender[]): Result[] {
  const entrants = contenders.filter((contender) => contender.kind !== "baseline" || scenario.name === "sqlite-32");
  return entrants.map((contender) => ({ contender, outcomes: [] }));
}
