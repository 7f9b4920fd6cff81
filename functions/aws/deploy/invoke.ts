import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ensureTable } from "../../../adapters/dynamodb/index.ts";
import { fail, SetupError } from "../../settings.ts";
import { endpointOverrides, isDeployed, VARIABLES } from "../settings.ts";
import { BUNDLE } from "./build.ts";
import { ENTRIES, timeoutOf } from "./lambda-functions.ts";
import { localIssuer } from "./local-issuer.ts";

const USAGE =
  "npm run -s invoke:aws -- http|on-stream|sweep [--make-table] [--tenant acme --id ada --roles user,manager] < event.json";

/** Calls a function of the bundle with the event on standard input, as Lambda would, and prints what it gives back: to try it on this machine. */
async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  const [entry = ""] = positionals;
  if (!ENTRIES.includes(entry))
    throw new SetupError(`${entry || "no function"}: name one of ${ENTRIES.join(", ")}.\nUsage: ${USAGE}`);
  if (isDeployed(process.env)) throw new SetupError("AWS_LAMBDA_FUNCTION_NAME is set: this is for a machine that is not Lambda.");
  const event = readEvent();
  process.env[VARIABLES.table] ||= "evenant";
  if (values["make-table"]) await makeTable();
  const issuer = values.tenant === undefined ? undefined : await localIssuer();
  try {
    if (issuer !== undefined) {
      Object.assign(process.env, { [VARIABLES.issuer]: issuer.url, [VARIABLES.jwks]: issuer.url, [VARIABLES.audience]: "local" });
      const claims = { sub: values.id, tenant: values.tenant, roles: values.roles.split(",").filter((role) => role !== "") };
      event.headers = { ...event.headers, authorization: `Bearer ${await issuer.sign(claims)}` };
    }
    const { handler } = await import(pathToFileURL(join(BUNDLE, `${entry}.mjs`)).href);
    const end = performance.now() + timeoutOf(entry) * 1_000;
    const result = await handler(event, { getRemainingTimeInMillis: () => Math.floor(end - performance.now()) });
    console.log(JSON.stringify(result));
  } finally {
    await issuer?.close();
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        "make-table": { type: "boolean", default: false },
        tenant: { type: "string" },
        id: { type: "string", default: "ada" },
        roles: { type: "string", default: "" },
      },
    });
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\nUsage: ${USAGE}`);
  }
}

function readEvent() {
  const text = readFileSync(0, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SetupError(`Standard input holds no event (${(cause as Error).message}).\nUsage: ${USAGE}`);
  }
}

/** Only where an endpoint says that this is no table of AWS: there CloudFormation makes it. */
async function makeTable(): Promise<void> {
  if (endpointOverrides(process.env).length === 0)
    throw new SetupError("--make-table needs AWS_ENDPOINT_URL_DYNAMODB, the address of a DynamoDB on this machine.");
  const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
  const client = new DynamoDB();
  await ensureTable(client, process.env[VARIABLES.table] as string, { stream: true });
  client.destroy();
}

await main().catch(fail);
