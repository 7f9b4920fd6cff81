import type { APIGatewayProxyEventV2 } from "aws-lambda";
import type { HttpResult } from "../../functions/aws/http-event.ts";

/** The host of a function URL; one of an HTTP API has `.execute-api.` in it. */
export const FUNCTION_URL = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws";
export const HTTP_API = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com";

/** What Lambda tells a handler; `ms` is the time that is left. */
export function contextOf(ms = 30_000): { readonly getRemainingTimeInMillis: () => number } {
  const end = performance.now() + ms;
  return { getRemainingTimeInMillis: () => end - performance.now() };
}

/** The event that a function URL makes of a request: its shape was recorded in the guide of Lambda. */
export async function eventOf(request: Request, domainName = FUNCTION_URL): Promise<APIGatewayProxyEventV2> {
  const { url, method } = request;
  const target = url.slice(url.indexOf("/", "http://".length));
  const [rawPath = "", ...query] = target.split("?");
  const headers: Record<string, string> = {
    ...Object.fromEntries(request.headers),
    host: domainName,
    "x-forwarded-for": "205.255.255.176",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
    "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
  };
  const { cookie, ...others } = headers;
  const bytes = Buffer.from(await request.arrayBuffer());
  const isText = /^(text\/|application\/(json|javascript|xml))/.test(headers["content-type"] ?? "");
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString: query.join("?"),
    ...(cookie !== undefined && { cookies: cookie.split("; ") }),
    headers: { ...others, ...(bytes.length > 0 && { "content-length": String(bytes.length) }) },
    requestContext: {
      accountId: "anonymous",
      apiId: domainName.split(".")[0] ?? "",
      domainName,
      domainPrefix: domainName.split(".")[0] ?? "",
      http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "205.255.255.176", userAgent: "node" },
      requestId: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
      routeKey: "$default",
      stage: "$default",
      time: "12/Mar/2020:19:03:58 +0000",
      timeEpoch: 1583348638390,
    },
    // Text that is no UTF-8 cannot be in JSON: it comes encoded, as all other types do.
    ...(bytes.length > 0 && { body: isText && isUtf8(bytes) ? bytes.toString() : bytes.toString("base64") }),
    isBase64Encoded: bytes.length > 0 && !(isText && isUtf8(bytes)),
  };
}

/** The response that a function URL makes of a result. */
export function responseOf({ statusCode = 200, headers = {}, cookies = [], body = "", isBase64Encoded }: HttpResult): Response {
  const all = new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]));
  for (const cookie of cookies) all.append("set-cookie", cookie);
  const hasBody = statusCode !== 204 && statusCode !== 304;
  return new Response(hasBody ? Buffer.from(body, isBase64Encoded ? "base64" : "utf8") : null, {
    status: statusCode,
    headers: all,
  });
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
