import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** How long a server may take to answer, in ms: a Java machine under load is slow. */
const PATIENCE = 30_000;

/** What the tests that need a server are skipped with, where there is none. */
const ADVICE =
  "no DynamoDB server: install dependencies with optional ones (npm ci), or set DYNAMODB_ENDPOINT, or DYNAMODB_LOCAL_DIR to an unpacked DynamoDB Local";

/** Runs a command until its own input is closed, then stops it by its pid: it cannot outlive whoever holds the other end. */
const UNTIL_CLOSED = '"$@" & pid=$!; read -r _; kill -9 $pid';

interface Launch {
  readonly command: string;
  readonly argumentsAt: (port: number) => readonly string[];
  readonly cwd?: string;
}

let started: Promise<string> | undefined;
let isSaid = false;

/**
 * Whether a server can be had: `DYNAMODB_ENDPOINT`, else dynoxide, else AWS's DynamoDB Local; with `DYNAMODB_SERVER=local` only the last.
 *
 * Throws where `CI` is set and there is none; elsewhere says loudly what is skipped. False where emulators are unwanted.
 */
export function hasDynamoDb(): boolean {
  if (process.env.EVENANT_WITHOUT_EMULATORS) return false;
  if (process.env.DYNAMODB_ENDPOINT !== undefined || launch() !== undefined) return true;
  if (process.env.CI) throw new Error(ADVICE);
  if (!isSaid) console.warn(`\n  SKIPPED: everything on DynamoDB, for there is ${ADVICE}\n`);
  isSaid = true;
  return false;
}

/** The endpoint of the server of this process, started at the first call and stopped by its pid when the process ends. */
export function dynamoDbEndpoint(): Promise<string> {
  started ??= start();
  return started;
}

async function start(): Promise<string> {
  const { DYNAMODB_ENDPOINT: endpoint } = process.env;
  if (endpoint !== undefined) return endpoint;
  const found = launch();
  if (found === undefined) throw new Error(ADVICE);
  const port = await freePort();
  const child = spawn("sh", ["-c", UNTIL_CLOSED, "sh", found.command, ...found.argumentsAt(port)], {
    stdio: ["pipe", "ignore", "ignore"],
    env: { ...process.env, DDB_LOCAL_TELEMETRY: "0" },
    ...(found.cwd !== undefined && { cwd: found.cwd }),
  });
  // Nothing waits for it; the end of this process, however it comes, closes the pipe.
  child.unref();
  (child.stdin as Socket).unref();
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child);
  return url;
}

function launch(): Launch | undefined {
  return (process.env.DYNAMODB_SERVER === "local" ? undefined : dynoxide()) ?? dynamoDbLocal();
}

function dynoxide(): Launch | undefined {
  const folder = folderOf("@dynoxide/linux-x64");
  if (folder === undefined) return undefined;
  return { command: join(folder, "dynoxide"), argumentsAt: (port) => ["--port", String(port)] };
}

function dynamoDbLocal(): Launch | undefined {
  const cwd = process.env.DYNAMODB_LOCAL_DIR;
  if (cwd === undefined || !existsSync(join(cwd, "DynamoDBLocal.jar"))) return undefined;
  const java = ["-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"];
  return { command: "java", argumentsAt: (port) => [...java, "-port", String(port), "-inMemory", "-disableTelemetry"], cwd };
}

function folderOf(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  let failure: unknown;
  child.once("error", (error) => {
    failure = error;
  });
  for (const end = Date.now() + PATIENCE; Date.now() < end; await setTimeout(10)) {
    if (failure !== undefined || child.exitCode !== null)
      throw new Error("the DynamoDB server did not start", { cause: failure });
    const response = await fetch(url).catch(() => undefined);
    await response?.arrayBuffer();
    if (response !== undefined) return;
  }
  throw new Error(`the DynamoDB server does not answer at ${url}`);
}
