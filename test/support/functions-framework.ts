import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { cloudEvent, http } from "@google-cloud/functions-framework";
import { getTestServer } from "@google-cloud/functions-framework/testing";
import { type DocumentEvent, type GoogleBackend, googleFunctions } from "../../functions/gcp/functions.ts";
import { keepRequestsRaw } from "../../functions/gcp/raw-requests.ts";
import type { Log } from "../../functions/log.ts";

/** A function in the framework's own server. */
export interface ServedFunction {
  readonly url: string;
  close(): Promise<void>;
}

/** The parts of a backend that a test does not look at. */
const NOTHING: GoogleBackend = {
  fetch: () => new Response(null, { status: 501 }),
  ring: async (tenant) => ({ tenant, status: "unknown", handled: 0 }),
  sweep: async () => ({ tenants: 0, polls: 0, handled: 0, failed: 0, isComplete: true }),
  budget: 5_000,
};

let served = 0;

/** Serves one of the functions as Google does, on a free port; each time under a name of its own. */
export async function servedFunction(
  name: "command" | "onCommit" | "sweep",
  { log = () => {}, ...backend }: Partial<GoogleBackend> & { readonly log?: Log },
): Promise<ServedFunction> {
  const functions = googleFunctions(async () => ({ ...NOTHING, ...backend }), log);
  const target = `${name}${served++}`;
  if (name === "onCommit") cloudEvent(target, (event: DocumentEvent) => functions.onCommit(event));
  else http(target, functions[name]);
  const server = getTestServer(target);
  if (name === "command") keepRequestsRaw(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
