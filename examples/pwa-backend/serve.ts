import { join } from "node:path";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { bearerAuthenticator, secretVerifier } from "../../functions/auth.ts";
import { compose, readAlong } from "../../functions/composition.ts";
import { jsonLog, logTracer } from "../../functions/log.ts";
import { nodePlatform } from "../../functions/node-platform.ts";
import { developmentSecret } from "../../functions/secret.ts";
import { listen } from "../../functions/server.ts";
import { fail, readSettings } from "../../functions/settings.ts";
import { stopSignal } from "../../functions/stop-signal.ts";
import { remembering } from "../../functions/token-memory.ts";
import { readAssets } from "./assets.ts";
import { backend, shopping } from "./backend.ts";

/** Only this machine: whoever can reach the login can sign in as anybody. */
const HOST = "127.0.0.1";
/** How long the last answers may take, in ms. */
const DRAIN = 12_000;

/** Runs the shopping lists until it is told to stop. */
async function main(): Promise<void> {
  const { port, dataDir } = readSettings({ PORT: "8090", DATA_DIR: join("data", "pwa"), ...process.env });
  process.umask(0o077);
  const secret = await developmentSecret(dataDir);
  const log = jsonLog((line) => process.stderr.write(line));
  const store = new SqliteEventStore({ path: join(dataDir, "shopping.db") });
  try {
    const stopping = stopSignal();
    const service = compose(store, shopping, { tracer: logTracer(log), platform: nodePlatform });
    const authenticate = bearerAuthenticator(remembering(await secretVerifier(secret)));
    const { fetch } = backend({ service, authenticate, log, stopping: stopping.signal, assets: await readAssets(), secret });
    const server = await listen(fetch, { host: HOST, port, log });
    const readers = new AbortController();
    const reading = readAlong(service, readers.signal);
    console.log(`Open ${server.url} in two windows, sign in, and watch both while you turn the network off and on again.`);
    try {
      await Promise.race([stopping.stopped, reading]);
    } finally {
      // Also where the readers cannot go on: a server without them would answer from a store that is closed.
      stopping.stop();
      await server.stop(DRAIN);
      readers.abort();
    }
    await reading;
  } finally {
    await store.close();
  }
}

await main().catch(fail);
