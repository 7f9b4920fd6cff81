import { connect, createServer, type Server, type Socket } from "node:net";
import { frames, metadataRequest, metadataResponse, type RequestHead, requestHead, supportedVersions } from "./kafka-protocol.ts";

const API_VERSIONS = 18;
const METADATA = 3;
const PRODUCE = 0;

/**
 * A proxy before a mock cluster, on which the broker can be down without losing what it has.
 *
 * It says that the broker is where the proxy is, and speaks two requests in newer versions than the mock cluster knows, but the
 * producer asks for (ApiVersions 3, Metadata 9). Records pass through it as they are.
 */
export interface KafkaBridge {
  readonly bootstrap: string;
  /** How many requests to produce have reached the broker. */
  readonly produced: number;
  /** Refuses connections and breaks those that there are, until `up`. */
  readonly down: () => Promise<void>;
  readonly up: () => Promise<void>;
  /** Lets the broker have the next records, and breaks the connection before its answer: what became of them is not known. */
  readonly cutNextAnswer: () => void;
  readonly close: () => Promise<void>;
}

/** Starts a bridge before the broker at a port of 127.0.0.1. */
export async function kafkaBridge(broker: number): Promise<KafkaBridge> {
  const sockets = new Set<Socket>();
  const state = { port: 0, produced: 0, isCutting: false };
  const bridge = createServer((client) => {
    const upstream = connect(broker, "127.0.0.1");
    for (const [socket, peer] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => peer.destroy()).on("close", () => sockets.delete(socket) && peer.destroy());
    }
    const asked = new Map<number, RequestHead>();
    const toBroker = (frame: Buffer) => {
      const head = requestHead(frame);
      if (head.api === API_VERSIONS) return void client.write(supportedVersions(head));
      asked.set(head.correlation, head);
      if (head.api === PRODUCE) state.produced++;
      upstream.write(head.api === METADATA ? metadataRequest(head) : frame);
    };
    const toClient = (frame: Buffer) => {
      const head = asked.get(frame.readInt32BE(4));
      if (head?.api === PRODUCE && state.isCutting) {
        state.isCutting = false;
        client.destroy();
      } else client.write(head?.api === METADATA ? metadataResponse(frame, state.port) : frame);
    };
    client.on("data", frames(toBroker));
    upstream.on("data", frames(toClient));
  });
  state.port = await listen(bridge, 0);
  const down = async () => {
    const closed = new Promise((resolve) => bridge.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    bootstrap: `127.0.0.1:${state.port}`,
    get produced() {
      return state.produced;
    },
    down,
    up: async () => {
      await listen(bridge, state.port);
    },
    cutNextAnswer: () => {
      state.isCutting = true;
    },
    close: async () => {
      if (bridge.listening) await down();
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the bridge has no port");
  return address.port;
}
