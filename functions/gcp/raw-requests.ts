import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server } from "node:http";

/*
 * functions-framework reads bodies (up to 1 GiB), parses them and decodes paths before a function sees the request, and answers by itself, in
 * HTML, what it cannot parse. The application wants to read and refuse in its own words, and no body of somebody unknown. So what the
 * framework would look at is put aside, until the function gets the request.
 */

/** Without the last two a request has no body, as far as the framework can tell. */
const HEADERS = ["content-type", "content-encoding", "content-length", "transfer-encoding"] as const;

/** What was put aside. */
interface Aside {
  readonly url: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string | undefined])[];
}

const requests = new WeakMap<IncomingMessage, Aside>();

/** Keeps the framework's parsers away from the requests of a server; of every server of the process where none is given. */
export function keepRequestsRaw(only?: Server): void {
  subscribe("http.server.request.start", (message) => {
    const { request, server } = message as { readonly request: IncomingMessage; readonly server: Server };
    if (only !== undefined && server !== only) return;
    requests.set(request, { url: request.url, headers: HEADERS.map((name) => [name, request.headers[name]]) });
    request.url = "/";
    for (const name of HEADERS) delete request.headers[name];
  });
}

/** Gives a request back what was put aside: its target and headers are again as they were sent. */
export function restoreRequest(request: IncomingMessage): void {
  const aside = requests.get(request);
  if (aside === undefined) return;
  if (aside.url !== undefined) request.url = aside.url;
  for (const [name, value] of aside.headers) {
    if (value === undefined) delete request.headers[name];
    else request.headers[name] = value;
  }
}
