import { join, resolve } from "node:path";
import { SqliteEventStore } from "../adapters/sqlite/index.ts";
import { app } from "./app.ts";
import { bearerAuthenticator, secretVerifier } from "./auth.ts";
import { compose, examples, readAlong } from "./composition.ts";
import { readEdgeSettings } from "./edge-settings.ts";
import { errorFacts, jsonLog, logTracer } from "./log.ts";
import { nodePlatform } from "./node-platform.ts";
import { developmentSecret } from "./secret.ts";
import { listen } from "./server.ts";
import { fail, readSettings, SetupError } from "./settings.ts";
import { stopSignal } from "./stop-signal.ts";
import { remembering } from "./token-memory.ts";
import { uncheckedCommands } from "./unchecked-commands.ts";
import { welcome } from "./welcome.ts";

/** Only this machine: development tokens are no protection from others. */
const HOST = "127.0.0.1";
/** How long the last answers may take, in ms: the deadline of a request, and a little to send it. */
const DRAIN = 12_000;

/** Runs the backend until it is told to stop. Order of the end: no new requests, last answers, readers, store. */
async function main(): Promise<void> {
  const { port, dataDir } = readSettings(process.env);
  const edge = readEdgeSettings(process.env);
  // What is made from here on is its owner's alone, wherever DATA_DIR lies.
  process.umask(0o077);
  const development = process.argv.includes("--development");
  const authenticate = bearerAuthenticator(remembering(await secretVerifier(await developmentSecret(dataDir))));
  const log = jsonLog((line) => process.stderr.write(line));
  const store = openStore(join(dataDir, "evenant.db"));
  try {
    const stopping = stopSignal();
    const service = compose(store, examples, { tracer: logTracer(log), platform: nodePlatform, development });
    const { fetch } = app({ ...edge, service, authenticate, log, stopping: stopping.signal });
    const server = await listen(fetch, { host: HOST, port, log });
    const readers = new AbortController();
    const reading = readAlong(service, readers.signal).catch((error: unknown) => {
      log("ERROR", "the readers cannot go on: the server stops", { error: errorFacts(error) });
      process.exitCode = 1;
      stopping.stop();
    });
    const home = resolve(import.meta.dirname, "..");
    const hasExamples = service.commands.has("AddNumbers") && service.collections.has("totals");
    const isDataDirSet = Boolean(process.env.DATA_DIR);
    process.stdout.write(welcome({ url: server.url, dataDir, isDataDirSet, home, cwd: process.cwd(), hasExamples }));
    log("INFO", "started", { url: server.url, dataDir });
    const commands = uncheckedCommands(examples.aggregates);
    if (commands.length > 0)
      log("WARNING", "no schema checks the payload of these commands, unless they do it by hand", { commands });
    await stopping.stopped;
    log("INFO", "stopping");
    await server.stop(DRAIN);
    readers.abort();
    await reading;
    log("INFO", "stopped");
  } finally {
    await store.close();
  }
}

function openStore(path: string): SqliteEventStore {
  try {
    return new SqliteEventStore({ path });
  } catch (cause) {
    throw new SetupError(
      `${path} cannot be opened (${cause instanceof Error ? cause.message : String(cause)}): is it a database of Evenant?`,
    );
  }
}

await main().catch(fail);
