import { createServer, type IncomingMessage } from "node:http";

/** An answer of a recorded protocol. */
export interface RecordedAnswer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: string;
}

/** A server on loopback that speaks as much of a protocol over HTTP as a test needs. */
export interface RecordedServer {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Starts a server that answers each request by a function; a request that it does not answer hangs. */
export async function recordedServer(
  answer: (request: IncomingMessage, body: string) => RecordedAnswer | undefined,
): Promise<RecordedServer> {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const answered = answer(request, body);
    if (answered !== undefined) response.writeHead(answered.status ?? 200, answered.headers).end(answered.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
