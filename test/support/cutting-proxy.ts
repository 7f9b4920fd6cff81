import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy before a server, which can cut a connection after the server has answered and before the client hears it. */
export interface CuttingProxy {
  readonly url: string;
  /** How many replies it has cut. */
  readonly cuts: number;
  /** Cuts one more of the replies to come. */
  readonly arm: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a proxy before the server at a URL. */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let armed = 0;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    }
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.pipe(upstream);
    upstream.on("data", (reply) => {
      if (armed === 0) {
        client.write(reply);
        return;
      }
      armed--;
      cuts++;
      client.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get cuts() {
      return cuts;
    },
    arm: () => {
      armed++;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
