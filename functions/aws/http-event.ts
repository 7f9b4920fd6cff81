import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from "aws-lambda";
import { problemOf, problemResponse, Refusal } from "../problem.ts";
import { checkRawTarget } from "../request-target.ts";

/*
 * Why not `hono/aws-lambda`: it percent-encodes header values, so that two idempotency keys can become one; it drops empty headers; it
 * lets URLs swallow `..`; and it answers what it cannot read without a problem body. It is also deprecated.
 */

/** What the mapping reads of an event in payload format 2.0, from a function URL or an HTTP API. */
export type HttpEvent = Pick<APIGatewayProxyEventV2, "rawPath" | "rawQueryString" | "body" | "isBase64Encoded" | "cookies"> & {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestContext: {
    readonly domainName: string;
    readonly http: Pick<APIGatewayProxyEventV2["requestContext"]["http"], "method">;
  };
};

/** An answer in payload format 2.0. */
export type HttpResult = APIGatewayProxyStructuredResultV2;

/** What Lambda lets a buffered function answer, in bytes of JSON, less a little for the headers. */
const MAX_ANSWER_BYTES = 6 * 1024 * 1024 - 16 * 1024;
/** Answers up to here fit however their JSON is escaped: a control character takes six bytes. */
const ALWAYS_FITS = MAX_ANSWER_BYTES / 6;
const TEXTUAL = /^(text\/|application\/([\w.-]+\+)?json\b)/;

/** Makes the request that was sent, its path and query as they were spelled. @throws {Refusal} `malformed` for one that cannot be told. */
export function requestOf({
  rawPath,
  rawQueryString,
  headers,
  cookies,
  body,
  isBase64Encoded,
  requestContext,
}: HttpEvent): Request {
  const { domainName, http } = requestContext;
  const path = isFunctionUrl(domainName) ? rawPath : encodedAgain(rawPath);
  const target = rawQueryString === "" ? path : `${path}?${rawQueryString}`;
  checkRawTarget(target);
  const hasBody = body !== undefined && http.method !== "GET" && http.method !== "HEAD";
  const bytes = hasBody ? Buffer.from(body, isBase64Encoded ? "base64" : "utf8") : undefined;
  try {
    return new Request(`https://${domainName}${target}`, {
      method: http.method,
      headers: headersOf(headers, cookies, bytes),
      ...(bytes !== undefined && { body: new Uint8Array(bytes) }),
    });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new Refusal("malformed", "the request's method, host or headers are none that HTTP knows: check them");
  }
}

/** Makes the result of an answer; a problem where Lambda cannot send it: a stream, or more than 6 MB. */
export async function resultOf(response: Response): Promise<HttpResult> {
  if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
    await response.body?.cancel();
    return refusalResult(
      "not_implemented",
      "streams are not served from Lambda, where each would hold an instance: ask with ?position=",
    );
  }
  const bytes = Buffer.from(await response.arrayBuffer());
  const isText = TEXTUAL.test(response.headers.get("content-type") ?? "") && !response.headers.has("content-encoding");
  const body = bytes.toString(isText ? "utf8" : "base64");
  if (bytes.length > ALWAYS_FITS && Buffer.byteLength(JSON.stringify(body)) > MAX_ANSWER_BYTES)
    return refusalResult(
      "payload_too_large",
      "the answer has more than the 6 MB that Lambda may send: ask for less with ?limit=",
    );
  const cookies = response.headers.getSetCookie();
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
  return { statusCode: response.status, headers, body, isBase64Encoded: !isText, ...(cookies.length > 0 && { cookies }) };
}

function refusalResult(code: "not_implemented" | "payload_too_large", detail: string): Promise<HttpResult> {
  return resultOf(problemResponse(problemOf(new Refusal(code, detail))));
}

/** The length is set anew: it may have been that of another transfer coding. */
function headersOf(
  given: Readonly<Record<string, string | undefined>>,
  cookies: readonly string[] | undefined,
  body: Uint8Array | undefined,
): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) if (value !== undefined) headers.set(name, value);
  if (cookies !== undefined) headers.set("cookie", cookies.join("; "));
  headers.delete("transfer-encoding");
  if (body !== undefined) headers.set("content-length", String(body.length));
  return headers;
}

function isFunctionUrl(domainName: string): boolean {
  return domainName.includes(".lambda-url.");
}

/**
 * Encodes a path that an HTTP API has decoded, as far as that can be undone.
 *
 * An HTTP API decodes `%2F` to a slash and cuts the path at a decoded `?` (honojs/hono issue 2156, middleapi/standard-server pull 93; function
 * URLs keep the path): what is left of an id could be another id. So ids are taken from the query only, which stays as it was sent.
 */
function encodedAgain(path: string): string {
  const segments = path.split("/");
  if (segments.length > 3 && !/^\/(aggregates\/[^/]+\/(events|stream)|views\/[^/]+\/stream)$/.test(path))
    throw new Refusal(
      "malformed",
      "API Gateway decodes paths, ids in them too: send the id as ?id=, or ask the function's own URL",
    );
  try {
    return segments.map(encodeURIComponent).join("/");
  } catch {
    throw new Refusal("malformed", "the path is not UTF-8: percent-encode it so");
  }
}
