// The few messages of Kafka's protocol that the bridge translates: https://kafka.apache.org/protocol

/** The head of a request, and what stands behind it. */
export interface RequestHead {
  readonly api: number;
  readonly correlation: number;
  readonly client: string;
  readonly body: Buffer;
}

/** Calls back with each whole frame, its length in front, of a stream of bytes. */
export function frames(each: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const end = 4 + rest.readInt32BE(0);
      each(rest.subarray(0, end));
      rest = rest.subarray(end);
    }
  };
}

/** Reads the head of a request, of version 2 with a client id, or of version 1. */
export function requestHead(frame: Buffer): RequestHead {
  const size = Math.max(0, frame.readInt16BE(12));
  const client = frame.toString("utf8", 14, 14 + size);
  return { api: frame.readInt16BE(4), correlation: frame.readInt32BE(8), client, body: frame.subarray(14 + size) };
}

/** Answers ApiVersions 3: what the mock cluster and the producer share, with the versions that the bridge translates. */
export function supportedVersions({ correlation }: RequestHead): Buffer {
  const versions = [
    [0, 0, 7],
    [3, 9, 9],
    [18, 0, 3],
    [22, 0, 4],
  ];
  const keys = versions.map((key) => Buffer.concat([...key.map(int16), NO_TAGS]));
  return framed(int32(correlation), int16(0), varint(versions.length + 1), ...keys, int32(0), NO_TAGS);
}

/** Makes a Metadata request of version 2 of one of version 9. */
export function metadataRequest({ correlation, client, body }: RequestHead): Buffer {
  // Behind the tags of the head: a compact array of compact texts.
  const reader = new Reader(body, 1);
  const topics = reader.compactArray(() => {
    const topic = reader.compactText();
    reader.varint();
    return text(topic);
  });
  return framed(int16(3), int16(2), int32(correlation), text(client), int32(topics.length), ...topics);
}

/** Makes a Metadata response of version 9 of one of version 2, in which the broker is at the bridge's port. */
export function metadataResponse(frame: Buffer, port: number): Buffer {
  const reader = new Reader(frame, 4);
  const correlation = reader.int32();
  const brokers = reader.array(() => {
    const parts = [int32(reader.int32()), compactText(reader.text()), int32(port)];
    reader.int32();
    return Buffer.concat([...parts, compactText(reader.text()), NO_TAGS]);
  });
  const cluster = compactText(reader.text());
  const controller = int32(reader.int32());
  const topics = reader.array(() => {
    const head = [int16(reader.int16()), compactText(reader.text()), reader.bytes(1)];
    const partitions = reader.array(() => {
      const parts = [int16(reader.int16()), int32(reader.int32()), int32(reader.int32()), int32(-1)];
      const replicas = compactArray(reader.array(() => int32(reader.int32())));
      const inSync = compactArray(reader.array(() => int32(reader.int32())));
      return Buffer.concat([...parts, replicas, inSync, compactArray([]), NO_TAGS]);
    });
    return Buffer.concat([...head, compactArray(partitions), int32(0), NO_TAGS]);
  });
  const head = [int32(correlation), NO_TAGS, int32(0)];
  return framed(...head, compactArray(brokers), cluster, controller, compactArray(topics), int32(0), NO_TAGS);
}

class Reader {
  readonly #buffer: Buffer;
  #at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }

  bytes(count: number): Buffer {
    this.#at += count;
    return this.#buffer.subarray(this.#at - count, this.#at);
  }

  int16(): number {
    return this.bytes(2).readInt16BE();
  }

  int32(): number {
    return this.bytes(4).readInt32BE();
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes(1).readUInt8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  text(): string | null {
    const size = this.int16();
    return size < 0 ? null : this.bytes(size).toString("utf8");
  }

  compactText(): string {
    return this.bytes(this.varint() - 1).toString("utf8");
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read);
  }

  compactArray<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.varint() - 1) }, read);
  }
}

const NO_TAGS = Buffer.from([0]);

function framed(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([int32(body.length), body]);
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

function compactText(value: string | null): Buffer {
  if (value === null) return varint(0);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
}

function compactArray(items: readonly Buffer[]): Buffer {
  return Buffer.concat([varint(items.length + 1), ...items]);
}
