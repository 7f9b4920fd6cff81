import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { type Check, type Finding, ok, wrong } from "../../doctor/check.ts";
import { readEdgeSettings } from "../../edge-settings.ts";
import { SetupError } from "../../settings.ts";
import { type Environment, endpointOverrides, readAwsSettings, readIssuerSettings, readPolls } from "../settings.ts";
import { type FunctionName, NAMES } from "./lambda-functions.ts";
import { tablePolicy } from "./policies.ts";
import { STREAM_FILTER, TEMPLATE, templateText } from "./template.ts";

/** What the stack holds, as it is deployed; every call only reads. */
export interface IDeployment {
  table(signal: AbortSignal): Promise<DeployedTable>;
  function(name: FunctionName, signal: AbortSignal): Promise<DeployedFunction>;
  doorbell(signal: AbortSignal): Promise<DeployedDoorbell>;
}

export interface DeployedTable {
  readonly arn: string;
  /** `pk HASH S`, and so on. */
  readonly keys: readonly string[];
  readonly isStreaming: boolean;
  readonly isProtected: boolean;
  /** The attribute by which items expire; undefined = TTL is off. */
  readonly ttl: string | undefined;
}

export interface DeployedFunction {
  readonly environment: Environment;
  /** Each statement of each policy of its role. */
  readonly statements: readonly unknown[];
}

export interface DeployedDoorbell {
  readonly isEnabled: boolean;
  /** The patterns of its filters, parsed. */
  readonly filters: readonly unknown[];
  readonly reportsFailures: boolean;
}

/** Which keys can check tokens of an algorithm, by the beginning of its name. */
const KEY_TYPES: Readonly<Record<string, string>> = { RS: "RSA", PS: "RSA", ES: "EC", Ed: "OKP" };
const AGAIN = "Deploy the template again (docs/deploy-aws.md).";

/** What must be true of the repository before it is deployed. */
export const templateCheck: Check = {
  claim: "the committed template is the generated one",
  asksCloud: false,
  examine: async () =>
    (await readFile(TEMPLATE, "utf8")) === templateText() ? ok() : wrong("Run npm run build:aws, then commit it."),
};

/** What must be true of a stack. */
export function awsChecks(deployment: IDeployment): readonly Check[] {
  return [
    cloud("the table has the keys of the adapter", async (signal) => {
      const { keys } = await deployment.table(signal);
      const right = isDeepStrictEqual([...keys].sort(), ["pk HASH S", "sk RANGE S"]);
      return right ? ok() : wrong(`It has ${keys.join(", ")}: name a table that this stack's template made.`);
    }),
    cloud("the table's TTL is on, for receipts and what is left of erased tenants", async (signal) => {
      const { ttl } = await deployment.table(signal);
      if (ttl === "expires") return ok();
      return wrong(ttl === undefined ? `It is off. ${AGAIN}` : `It looks at ${ttl}, not at expires. ${AGAIN}`);
    }),
    cloud("the table's stream is on", async (signal) =>
      (await deployment.table(signal)).isStreaming ? ok() : wrong(`It is off: views follow by the sweep only. ${AGAIN}`),
    ),
    cloud("the table is protected against deletion", async (signal) =>
      (await deployment.table(signal)).isProtected ? ok() : wrong(`It is not. ${AGAIN}`),
    ),
    cloud("the stream rings for commits, and hears which records to send again", async (signal) => {
      const { isEnabled, filters, reportsFailures } = await deployment.doorbell(signal);
      if (!isEnabled) return wrong("The event source mapping is disabled: enable it.");
      if (!reportsFailures) return wrong(`It does not take batchItemFailures. ${AGAIN}`);
      return isDeepStrictEqual(filters, [STREAM_FILTER]) ? ok() : wrong(`Its filter is another one. ${AGAIN}`);
    }),
    ...NAMES.flatMap((name) => functionChecks(name, deployment)),
    cloud("the issuer publishes keys for the algorithms that are allowed", async (signal) => {
      const { jwks, algorithms } = readIssuerSettings((await deployment.function("http", signal)).environment);
      return keysFinding(await fetchJson(jwks, signal), algorithms);
    }),
  ];
}

function functionChecks(name: FunctionName, deployment: IDeployment): readonly Check[] {
  return [
    cloud(`${name}: its variables are set, and lead to AWS`, async (signal) => {
      const { environment } = await deployment.function(name, signal);
      const [override] = endpointOverrides(environment);
      if (override !== undefined) return wrong(`${override} is set: remove it, or the data is kept elsewhere.`);
      return settingsFinding(name, environment);
    }),
    cloud(`${name}: its role's policy on the table is the generated one`, async (signal) => {
      const [{ arn }, { statements }] = await Promise.all([deployment.table(signal), deployment.function(name, signal)]);
      const [generated] = tablePolicy(name, arn).Statement;
      const onTable = statements.filter((statement) => concernsItems(statement));
      if (onTable.length === 1 && isDeepStrictEqual(onTable[0], generated)) return ok();
      return wrong(`${onTable.length === 0 ? "It has none" : "It is another one"}. ${AGAIN}`);
    }),
  ];
}

function settingsFinding(name: FunctionName, environment: Environment): Finding {
  try {
    const { table } = readAwsSettings(environment);
    if (name === "sweep") readPolls(environment);
    if (name !== "http") return ok(`table ${table}`);
    readEdgeSettings(environment);
    const { issuer, audience } = readIssuerSettings(environment);
    return ok(`table ${table}, issuer ${issuer}, audience ${audience}`);
  } catch (error) {
    if (error instanceof SetupError) return wrong(error.message);
    throw error;
  }
}

/** Whether a statement lets somebody at the items of a table; reading its stream does not. */
function concernsItems(statement: unknown): boolean {
  // All but some actions.
  if (Object.hasOwn(statement as object, "NotAction")) return true;
  const actions = [(statement as { readonly Action?: string | readonly string[] }).Action ?? []].flat();
  return actions.some(
    (action) => /^(\*|dynamodb:)/i.test(action) && !/(DescribeStream|GetRecords|GetShardIterator|ListStreams)$/.test(action),
  );
}

function keysFinding(published: unknown, algorithms: readonly string[]): Finding {
  const { keys } = published as { readonly keys?: readonly { readonly kty?: string }[] };
  if (!Array.isArray(keys)) return wrong("What is published there is no key set: set TOKEN_JWKS_URI to the issuer's.");
  const types = new Set(keys.map(({ kty }) => kty));
  const unmatched = algorithms.filter((algorithm) => !types.has(KEY_TYPES[algorithm.slice(0, 2)]));
  if (unmatched.length === 0) return ok(`${keys.length} keys`);
  return wrong(`It publishes none for ${unmatched.join(", ")}: set TOKEN_ALGORITHMS to what the issuer signs with.`);
}

async function fetchJson(url: URL, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, { signal, redirect: "manual" });
  if (response.status !== 200) throw new Error(`${url.href} answered ${response.status}`);
  return response.json();
}

function cloud(claim: string, examine: Check["examine"]): Check {
  return { claim, asksCloud: true, examine };
}
