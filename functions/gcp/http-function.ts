import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Log } from "../log.ts";
import { Refusal } from "../problem.ts";
import { refuseUnseen } from "../request-log.ts";
import { checkRawTarget } from "../request-target.ts";
import { restoreRequest } from "./raw-requests.ts";

/** A function of Node's own kind, which the framework's Express calls as well. */
export type HttpFunction = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/**
 * Serves a fetch-style application as a function: a body that a framework has read already is taken from `rawBody`, answers are
 * streamed, and the request's signal aborts when the client goes. `log` hears of what the application does not see, or throws.
 */
export function httpFunction(fetch: (request: Request) => Promise<Response>, log: Log): HttpFunction {
  const answer = getRequestListener(
    async (request, { incoming, outgoing }) => {
      checkRawTarget((incoming as IncomingMessage).url ?? "");
      const response = await fetch(request);
      // The rest of such a body is never read: without a word the client would lose its next request on this connection.
      if (response.status === 413) (outgoing as ServerResponse).setHeader("connection", "close");
      return response;
    },
    {
      hostname: "localhost",
      overrideGlobalObjects: false,
      errorHandler: (error) => refuseUnseen(error instanceof RequestError ? notHttp() : error, log),
    },
  );
  return async (incoming, outgoing) => {
    restoreRequest(incoming);
    await answer(incoming, outgoing);
  };
}

function notHttp(): Refusal {
  return new Refusal(
    "malformed",
    "this is not an HTTP request that the function understands: check its request line and headers",
  );
}
