/** Checks a configuration and says what to do. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { awsChecks, templateCheck } from "../functions/aws/deploy/doctor-checks.ts";
import { stackDeployment } from "../functions/aws/deploy/stack-deployment.ts";
import { commandsOf, examples } from "../functions/composition.ts";
import type { Check } from "../functions/doctor/check.ts";
import { examine, report } from "../functions/doctor/examine.ts";
import { schemaCheck } from "../functions/doctor/schema-check.ts";
import { googleChecks } from "../functions/gcp/doctor-checks.ts";
import { googleReaders } from "../functions/gcp/doctor-readers.ts";
import { fail, SetupError } from "../functions/settings.ts";
import { accessMatrix } from "../rules/access-matrix.ts";
import { firestoreRules } from "../rules/firestore-rules.ts";

const USAGE = "npm run doctor -- google [--project P] [--env FILE] [--offline] | aws [--stack S] [--offline]";

/** What the command line says. */
interface Asked {
  readonly project: string | undefined;
  /** The file of the variables that are deployed with the functions. */
  readonly env: string | undefined;
  /** The CloudFormation stack. */
  readonly stack: string | undefined;
  /** Files and variables alone are looked at. */
  readonly isOffline: boolean;
}

const root = join(import.meta.dirname, "..");

/** The checks of each cloud. */
const clouds: Readonly<Record<string, (asked: Asked) => readonly Check[]>> = {
  aws: ({ stack = "evenant" }) => [templateCheck, ...awsChecks(stackDeployment(stack))],
  google: ({ project = process.env.GOOGLE_CLOUD_PROJECT, env, isOffline }) => {
    if (!project && !isOffline) throw new SetupError("Say which project: --project P, or --offline to look at files alone.");
    return googleChecks({
      generatedRules: firestoreRules(accessMatrix(examples)),
      rulesFile: textOf("firestore.rules"),
      indexesFile: textOf("firestore.indexes.json"),
      variables: variablesOf(env, project),
      environment: process.env,
      commands: commandsOf(examples.aggregates),
      readers: googleReaders(project ?? ""),
    });
  },
};

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const cloud = clouds[positionals[0] ?? ""];
  if (cloud === undefined || positionals.length > 1) {
    throw new SetupError(`Say which cloud.\nUsage: ${USAGE}`);
  }
  const { project, env, stack, offline: isOffline } = values;
  const ofAny = [schemaCheck(examples.aggregates)];
  const checks = [...ofAny, ...cloud({ project, env, stack, isOffline })].filter(({ asksCloud }) => !(isOffline && asksCloud));
  const examined = await examine(checks);
  process.stdout.write(report(examined));
  if (examined.some(({ finding }) => finding.status === "wrong")) process.exitCode = 1;
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        project: { type: "string" },
        env: { type: "string" },
        stack: { type: "string" },
        offline: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw error instanceof TypeError ? new SetupError(`${error.message}\nUsage: ${USAGE}`) : error;
  }
}

function textOf(name: string): string | undefined {
  const path = join(root, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** `.env` and the project's own, which firebase-tools deploys, unless another file is named. */
function variablesOf(env: string | undefined, project: string | undefined): Readonly<Record<string, string | undefined>> {
  if (env !== undefined && !existsSync(env))
    throw new SetupError(`There is no file ${env}: name the one that is deployed with the functions.`);
  const paths = env !== undefined ? [env] : [join(root, ".env"), join(root, `.env.${project}`)];
  const files = paths.filter((path) => existsSync(path));
  return Object.assign({}, ...files.map((path) => parseEnv(readFileSync(path, "utf8"))));
}

await main().catch(fail);
