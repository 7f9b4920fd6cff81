// One measurement in a process of its own: node measure.ts <contender> <scenario> [--quick]; the answer goes to the parent as a message.
import { contenderNamed } from "./contenders.ts";
import { scenarios } from "./scenarios/index.ts";

const [name = "", scenarioName, quick] = process.argv.slice(2);
const scenario = scenarios.find((candidate) => candidate.name === scenarioName);

async function answer() {
  try {
    const contender = await contenderNamed(name);
    const measurement = await scenario?.measure(contender, quick === "--quick");
    return measurement ?? { absent: true };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

process.send?.(await answer(), () => process.exit());
