import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

// Runs all that concerns DynamoDB: `npm run test:dynamodb`, or `npm run test:dynamodb -- --server local` on AWS's own DynamoDB Local.
const { values } = parseArgs({ options: { server: { type: "string", default: "dynoxide" } } });
const specs = [
  "test/adapters/dynamodb*.spec.ts",
  ...["examples", "regressions", "reactions", "publishing"].map((folder) => `test/${folder}/*.spec.ts`),
  // Not the comparison of all stores, which wants Firestore as well.
  ...["ids", "order", "oracle", "operators", "rush"].map((name) => `test/properties/${name}.spec.ts`),
];
const mocha = resolve(import.meta.dirname, "../../node_modules/mocha/bin/mocha.js");
const { status } = spawnSync(process.execPath, [mocha, "--no-config", "--timeout", "60000", "--fgrep", "DynamoDB", ...specs], {
  stdio: "inherit",
  // What is asked for must be there.
  env: { ...process.env, DYNAMODB_SERVER: values.server, CI: "true" },
});
process.exitCode = status ?? 1;
