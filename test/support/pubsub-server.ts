import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";

/** A message as Pub/Sub got it. */
export interface PublishedMessage {
  readonly topic: string;
  readonly data: string;
  readonly orderingKey: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A server on loopback that speaks as much of Pub/Sub over gRPC as publishing needs. */
export interface PubSubServer {
  readonly port: number;
  /** What it has acknowledged, in order. */
  readonly messages: readonly PublishedMessage[];
  /** Asked at each request: the gRPC status with which it fails; undefined = it is acknowledged; `hang` = no answer. */
  status: (messages: readonly PublishedMessage[]) => number | "hang" | undefined;
  readonly close: () => Promise<void>;
}

/** Starts a server on a free port of 127.0.0.1. */
export async function pubSubServer(): Promise<PubSubServer> {
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createServer();
  const messages: PublishedMessage[] = [];
  const server: PubSubServer = {
    get port() {
      return (http2.address() as { port: number }).port;
    },
    messages,
    status: () => undefined,
    close: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => http2.close(resolve));
    },
  };
  http2.on("session", (session) => sessions.add(session));
  http2.on("stream", async (stream, headers) => {
    stream.on("error", () => {});
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    if (headers[":path"] !== "/google.pubsub.v1.Publisher/Publish") return answer(stream, 12);
    // Behind a flag and the length: the request.
    const got = publishRequest(Buffer.concat(chunks).subarray(5));
    const status = server.status(got);
    if (status === "hang") return;
    if (status !== undefined) return answer(stream, status);
    const ids = got.map((_, index) => field(1, Buffer.from(`m${messages.length + index}`)));
    messages.push(...got);
    answer(stream, 0, Buffer.concat(ids));
  });
  await new Promise<void>((resolve) => http2.listen(0, "127.0.0.1", resolve));
  return server;
}

function answer(stream: ServerHttp2Stream, status: number, body?: Buffer): void {
  if (stream.destroyed) return;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(status), "grpc-message": `status ${status}` }));
  if (body === undefined) return void stream.end();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([head, body]));
}

/** PublishRequest of google/pubsub/v1/pubsub.proto: topic = 1, messages = 2 (data = 1, attributes = 2, ordering_key = 5). */
function publishRequest(bytes: Buffer): PublishedMessage[] {
  const request = fieldsOf(bytes);
  const text = (fields: readonly Field[], number: number) =>
    fields.find((one) => one.number === number)?.bytes.toString("utf8") ?? "";
  const topic = text(request, 1);
  return request
    .filter(({ number }) => number === 2)
    .map((message) => {
      const fields = fieldsOf(message.bytes);
      const entries = fields.filter(({ number }) => number === 2).map((entry) => fieldsOf(entry.bytes));
      const attributes = Object.fromEntries(entries.map((entry) => [text(entry, 1), text(entry, 2)]));
      return { topic, data: text(fields, 1), orderingKey: text(fields, 5), attributes };
    });
}

interface Field {
  readonly number: number;
  readonly bytes: Buffer;
}

/** The length-delimited fields of a protobuf message; there are no others here. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes.readUInt8(at++);
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    if (tag % 8 !== 2) throw new Error(`field ${tag >> 3} has the wire type ${tag % 8}`);
    const size = varint();
    fields.push({ number: tag >> 3, bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return fields;
}

function field(number: number, bytes: Buffer): Buffer {
  if (bytes.length > 127) throw new Error("no id is that long");
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}
