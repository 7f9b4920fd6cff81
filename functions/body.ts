import { Err, ValidationError } from "../core/index.ts";
import { Refusal } from "./problem.ts";

/** The largest body that is read, in bytes: the largest command is 1 MiB too. */
const MAX_BODY_BYTES = 1024 * 1024;

/** A JSON object and how many bytes it was sent with. */
interface SentObject {
  readonly value: Record<string, unknown>;
  readonly bytes: number;
}

/** Reads a body that must be one JSON object. @throws {Refusal} `unsupported_media_type`, `payload_too_large`, `malformed`. */
export async function readObject(request: Request): Promise<SentObject> {
  checkType(request.headers);
  const body = await readBytes(request).catch(cutOff);
  const value = parse(decode(body));
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ValidationError("", "the body is not an object: send a JSON object with aggregateId and the payload's fields");
  }
  return { value: value as Record<string, unknown>, bytes: body.length };
}

function checkType(headers: Headers): void {
  const [type, ...parameters] = (headers.get("content-type") ?? "")
    .toLowerCase()
    .split(";")
    .map((part) => part.trim());
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice("charset=".length)
    .replaceAll('"', "");
  if (type !== "application/json" || (charset !== undefined && charset !== "utf-8")) {
    throw new Refusal("unsupported_media_type", "send the body as Content-Type: application/json, in UTF-8");
  }
  if ((headers.get("content-encoding") ?? "identity") !== "identity") {
    throw new Refusal("unsupported_media_type", "send the body uncompressed, without Content-Encoding");
  }
}

/** A client that went away is no failure of the server, and nobody needs to be woken for it. */
function cutOff(error: unknown): never {
  if (error instanceof Refusal) throw error;
  throw new Refusal("malformed", "the body did not come whole: send the request again");
}

/** A declared length is trusted, because servers end the body there; without one the bytes are counted as they come. */
async function readBytes(request: Request): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && request.headers.get("transfer-encoding") === null) {
    if (!(Number(declared) <= MAX_BODY_BYTES)) throw tooLarge();
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > MAX_BODY_BYTES) throw tooLarge();
    return bytes;
  }
  return request.body === null ? new Uint8Array() : collect(request.body);
}

async function collect(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MAX_BODY_BYTES) {
      // Not awaited: what is still on its way must not delay the answer.
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    chunks.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Strict, because a replacement character would make another id or text of what was sent. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Refusal("malformed", "the body is not UTF-8: encode it so");
  }
}

/** The parser's own message is left out, because it quotes the body. */
function parse(text: string): unknown {
  try {
    return LONG_INTEGER.test(text) ? JSON.parse(text, refuseRounded) : JSON.parse(text);
  } catch (error) {
    if (Err.is(error)) throw error;
    throw new Refusal("malformed", "the body is not JSON: send one JSON object, without NaN, comments or trailing commas");
  }
}

/** Integers of 16 digits may not fit a number any more, and the parser would round them without a word: another client's id, say. */
const LONG_INTEGER = /\d{16}/;

function refuseRounded(key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || !/^-?\d+$/.test(source)) return value;
  if (!Number.isFinite(value) || BigInt(source) !== BigInt(value)) {
    throw new ValidationError(key, "is an integer that a JSON number cannot hold: send it as a string");
  }
  return value;
}

function tooLarge(): Refusal {
  return new Refusal("payload_too_large", `the body has more than ${MAX_BODY_BYTES} bytes: split the command`);
}
