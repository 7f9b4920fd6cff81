import { availableParallelism } from "node:os";

const isCi = Boolean(process.env.CI);
// Mocha would add the specs that the command line names to those of its configuration, and run them all.
const areSpecsNamed = process.argv.some((argument) => argument.endsWith(".spec.ts"));

export default {
  spec: areSpecsNamed ? [] : ["test/**/*.spec.ts"],
  timeout: 10_000,
  // Two processes at least, also on fewer processors, for the tests wait for emulators half of the time; four at most, for each starts its own.
  parallel: true,
  jobs: Math.min(4, Math.max(2, availableParallelism() - 1)),
  failZero: true,
  forbidOnly: isCi,
  forbidPending: isCi,
};
