import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { fail, SetupError } from "../../settings.ts";
import { endpointOverrides, VARIABLES } from "../settings.ts";
import { BUNDLE } from "./build.ts";
import { localIssuer } from "./local-issuer.ts";

/** How often each start is measured. */
const TIMES = 21;
/** Loads the function in argument 1 and calls it with the event in argument 2; without arguments it only starts. */
const RUNNER = `
const [file, event] = process.argv.slice(1);
if (file) {
  const { handler } = await import(file);
  const result = await handler(JSON.parse(event), { getRemainingTimeInMillis: () => 15_000 });
  if (result?.statusCode !== undefined && result.statusCode !== 200) throw new Error(JSON.stringify(result));
}
const { user, system } = process.cpuUsage();
process.stdout.write(" answered " + (user + system) / 1_000 + " ms");`;

/** One start: how long it took to the first answer, and how much of a processor it took, both in ms. */
interface Start {
  readonly wall: number;
  readonly processor: number;
}

/**
 * Measures on this machine how long it takes from the start of a process to its first answered event, and how large the bundle is.
 *
 * Where other programs run too, the processor's time says more than the clock.
 */
async function main(): Promise<void> {
  if (endpointOverrides(process.env).length === 0)
    throw new SetupError(
      "Set AWS_ENDPOINT_URL_DYNAMODB to a DynamoDB on this machine that has the table (echo '{}' | npm run -s invoke:aws -- sweep --make-table).",
    );
  const issuer = await localIssuer();
  Object.assign(process.env, { [VARIABLES.issuer]: issuer.url, [VARIABLES.jwks]: issuer.url, [VARIABLES.audience]: "local" });
  process.env[VARIABLES.table] ||= "evenant";
  const headers = { authorization: `Bearer ${await issuer.sign({ sub: "ada", tenant: "cold", roles: ["user"] })}` };
  const request = (rawPath: string) => ({
    rawPath,
    rawQueryString: "",
    headers,
    isBase64Encoded: false,
    requestContext: { domainName: "cold.lambda-url.local.on.aws", http: { method: "GET" } },
  });
  const record = { dynamodb: { Keys: { pk: { S: "T#cold#L" }, sk: { S: "open" } }, SequenceNumber: "1" } };
  try {
    await tell("node alone");
    await tell("http: /healthz", "http", request("/healthz"));
    await tell("http: a view, with token and table", "http", request("/views/totals"));
    await tell("on-stream: a record, with table", "on-stream", { Records: [record] });
    await tell("sweep", "sweep", {});
  } finally {
    await issuer.close();
  }
  const files = readdirSync(BUNDLE).map((name) => readFileSync(join(BUNDLE, name)));
  const bytes = files.reduce((sum, file) => sum + file.length, 0);
  const gzipped = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  console.log(`the bundle has ${bytes} bytes, ${gzipped} gzipped, in ${files.length} files`);
}

async function tell(title: string, entry?: string, event?: unknown): Promise<void> {
  const arguments_ = entry === undefined ? [] : [pathToFileURL(join(BUNDLE, `${entry}.mjs`)).href, JSON.stringify(event)];
  const starts: Start[] = [];
  for (let time = 0; time < TIMES; time++) starts.push(await startOnce(arguments_));
  const wall = medianOf(starts.map((start) => start.wall));
  const processor = medianOf(starts.map((start) => start.processor));
  console.log(`${title}: ${wall} ms, of the processor ${processor} ms (medians of ${TIMES})`);
}

function medianOf(times: readonly number[]): number {
  return Math.round([...times].sort((one, other) => one - other)[times.length >> 1] ?? 0);
}

function startOnce(arguments_: readonly string[]): Promise<Start> {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(process.execPath, ["--input-type=module", "-e", RUNNER, ...arguments_], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    let start: Start | undefined;
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const [, processor] = / answered ([\d.]+) ms$/.exec(text) ?? [];
      if (processor !== undefined) start ??= { wall: performance.now() - begin, processor: Number(processor) };
    });
    child.once("close", () => {
      if (start === undefined) reject(new Error(`the function ended without an answer: ${text}`));
      else resolve(start);
    });
  });
}

await main().catch(fail);
