import { connect, createServer, type Server, type Socket } from "node:net";
import { firestoreEmulator } from "./firestore-emulator.ts";

/** What the cutter does with the next request: lets it through, swallows the request, or swallows the reply; either way it cuts the line. */
export type Cut = "none" | "request" | "reply";

/** A TCP proxy in front of the emulator that cuts lines at bad moments. */
export interface Cutter {
  /** `127.0.0.1:port` of the proxy. */
  readonly host: string;
  /** The next request that says at least so many bytes is cut. */
  arm(cut: Cut): void;
  /** How many lines were cut. */
  readonly cuts: number;
  close(): Promise<void>;
}

/** Requests of fewer bytes are HTTP/2's own talk: settings, window updates, pings. */
const LEAST_REQUEST = 300;

/** Starts a cutter in front of the run's emulator. */
export async function firestoreCutter(): Promise<Cutter> {
  const [hostname = "", port = ""] = (await firestoreEmulator()).host.split(":");
  let armed: Cut = "none";
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket.on("error", end).on("close", end));
    }
    let isCutting = false;
    client.on("data", (chunk: Buffer) => {
      if (armed === "none" || chunk.length < LEAST_REQUEST) return void upstream.write(chunk);
      const cut = armed;
      armed = "none";
      cuts += 1;
      if (cut === "request") return end();
      isCutting = true;
      upstream.write(chunk);
    });
    upstream.on("data", (chunk: Buffer) => {
      if (!isCutting) return void client.write(chunk);
      // The emulator has carried the request out when it answers with more than HTTP/2's own talk.
      if (chunk.length > 60) end();
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  return {
    host: `127.0.0.1:${address.port}`,
    arm: (cut) => {
      armed = cut;
    },
    get cuts() {
      return cuts;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}
