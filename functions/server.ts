import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { getRequestListener, RequestError } from "@hono/node-server";
import type { Log } from "./log.ts";
import { problemOf, Refusal } from "./problem.ts";
import { refuseUnseen } from "./request-log.ts";
import { checkRawTarget } from "./request-target.ts";
import { SetupError } from "./settings.ts";

/** A server that accepts requests. */
export interface ListeningServer {
  /** `http://host:port`, with the port that was really taken. */
  readonly url: string;
  /**
   * Stops accepting, finishes the answers in flight and to requests on their way, closes every connection, and resolves when the last is
   * gone; cuts what is left after `patience` ms.
   */
  stop(patience: number): Promise<void>;
}

/** How long a client may take to send its headers, and its whole request, in ms. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
/** How long a stopping server still looks for requests that were on their way to it, in ms: closing at once would cut them off unread. */
const LINGER = 100;

/** Serves a fetch-style application over HTTP; `log` hears of requests that are refused before it sees them. @throws {SetupError} where the port cannot be taken. */
export async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  { host, port, log }: { readonly host: string; readonly port: number; readonly log?: Log },
): Promise<ListeningServer> {
  const answer = getRequestListener(
    async (request, { incoming, outgoing }) => {
      checkRawTarget(incoming.url ?? "");
      const response = await fetch(request);
      // The rest of such a body is never read: without a word the client would lose its next request on this connection.
      if (response.status === 413) outgoing.setHeader("connection", "close");
      return response;
    },
    { hostname: host, errorHandler: (error) => refuseUnseen(error instanceof RequestError ? notHttp() : error, log) },
  );
  const open = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let isStopping = false;
  const server = createServer({ headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT }, (incoming, outgoing) => {
    open.add(outgoing);
    outgoing.once("close", () => {
      open.delete(outgoing);
      if (isStopping) setImmediate(() => server.closeIdleConnections());
    });
    if (isStopping) outgoing.setHeader("connection", "close");
    void answer(incoming, outgoing);
  });
  server.on("clientError", (error, socket) => {
    // A request that breaks off in its body is the application's, which logs it.
    const isSeen = [...open].some((outgoing) => outgoing.socket === socket);
    refuseConnection(error, socket as Socket, isSeen ? undefined : log);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await start(server, host, port);
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${taken}`,
    stop: async (patience) => {
      isStopping = true;
      // Tells clients that keep connections alive to make a new one, elsewhere.
      for (const outgoing of open) if (!outgoing.headersSent) outgoing.setHeader("connection", "close");
      await setTimeout(LINGER);
      const closed = close(server, patience);
      await setTimeout(LINGER);
      // Node closes connections that are idle after a request, but not those that never sent one.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      await closed;
    },
  };
}

function start(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = error.code === "EADDRINUSE" ? "is taken by another program" : `cannot be taken (${error.code})`;
      reject(new SetupError(`Port ${port} of ${host} ${reason}: set PORT to another one, or to 0 for any that is free.`));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server, patience: number): Promise<void> {
  return new Promise((resolve) => {
    const isClosed = new AbortController();
    setTimeout(patience, undefined, { signal: isClosed.signal }).then(
      () => server.closeAllConnections(),
      () => {},
    );
    server.close(() => {
      isClosed.abort();
      resolve();
    });
  });
}

/** Answers what is not even HTTP, or came too slowly. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket, log: Log | undefined): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const isLate = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const status = isLate
    ? "408 Request Timeout"
    : error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : "400 Bad Request";
  const { body } = problemOf(isLate ? new Refusal("malformed", "the request came too slowly: send it again") : notHttp());
  log?.("INFO", "request", { route: "none", status: Number.parseInt(status, 10), code: body.code });
  const text = JSON.stringify({ ...body, status: Number.parseInt(status, 10), title: status.slice(4) });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

function notHttp(): Refusal {
  return new Refusal("malformed", "this is not an HTTP request that the server understands: check its request line and headers");
}
