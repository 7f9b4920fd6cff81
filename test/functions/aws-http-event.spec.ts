import { expect } from "chai";
import { type HttpEvent, requestOf, resultOf } from "../../functions/aws/http-event.ts";
import { httpHandler } from "../../functions/aws/http-handler.ts";
import { Refusal } from "../../functions/problem.ts";
import { contextOf, eventOf, FUNCTION_URL, HTTP_API } from "../support/aws-events.ts";
import { thrown } from "../support/thrown.ts";

/** An event as the guide of Lambda shows it for a function URL. */
const RECORDED = {
  version: "2.0",
  routeKey: "$default",
  rawPath: "/my/path",
  rawQueryString: "parameter1=value1&parameter1=value2&parameter2=value",
  cookies: ["cookie1=a", "cookie2=b"],
  headers: { header1: "value1", header2: "value1,value2" },
  queryStringParameters: { parameter1: "value1,value2", parameter2: "value" },
  requestContext: {
    accountId: "123456789012",
    apiId: "<urlid>",
    authentication: null,
    domainName: FUNCTION_URL,
    domainPrefix: "abcdefghijklmnopqrstuvwxyz012345",
    http: { method: "POST", path: "/my/path", protocol: "HTTP/1.1", sourceIp: "123.123.123.123", userAgent: "agent" },
    requestId: "id",
    routeKey: "$default",
    stage: "$default",
    time: "12/Mar/2020:19:03:58 +0000",
    timeEpoch: 1583348638390,
  },
  body: "Hello from client!",
  pathParameters: null,
  isBase64Encoded: false,
  stageVariables: null,
} as const;

const event = (rawPath: string, changed: Partial<HttpEvent> = {}, domainName = FUNCTION_URL, method = "GET"): HttpEvent => ({
  rawPath,
  rawQueryString: "",
  headers: {},
  isBase64Encoded: false,
  requestContext: { domainName, http: { method } },
  ...changed,
});
const pathOf = (made: HttpEvent) => requestOf(made).url.slice(`https://${made.requestContext.domainName}`.length);

describe("An HTTP event on Lambda", () => {
  it("becomes the request that was sent", async () => {
    const request = requestOf(RECORDED as unknown as HttpEvent);
    expect([request.method, request.url]).to.deep.equal([
      "POST",
      `https://${FUNCTION_URL}/my/path?parameter1=value1&parameter1=value2&parameter2=value`,
    ]);
    expect(Object.fromEntries(request.headers)).to.deep.include({
      header1: "value1",
      header2: "value1,value2",
      cookie: "cookie1=a; cookie2=b",
      "content-length": "18",
    });
    expect(await request.text()).to.equal("Hello from client!");
  });

  it("gives bytes as they were sent, whether encoded or not", async () => {
    const bytes = new Uint8Array([0, 255, 13, 10, 34]);
    const body = Buffer.from(bytes).toString("base64");
    const request = requestOf(event("/", { body, isBase64Encoded: true }, FUNCTION_URL, "POST"));
    expect(new Uint8Array(await request.arrayBuffer())).to.deep.equal(bytes);
    expect(await requestOf(event("/", { body: "é–👩" }, FUNCTION_URL, "POST")).text()).to.equal("é–👩");
    expect(requestOf(event("/", { body: "ignored" })).body).to.equal(null);
  });

  it("keeps path and query to the letter where a function URL has kept them", () => {
    for (const path of ["/a/%2F", "/a/%252F", "/a/%2e%2E%2f", "/a//b", "/a/%C3%A9", "/a/%ff", "/a/%00", "/a/b%3Fc", "/a/'!*()"]) {
      expect(pathOf(event(path, { rawQueryString: "id=%2E%2e&x=a+b%20" }))).to.equal(`${path}?id=%2E%2e&x=a+b%20`);
    }
  });

  for (const path of ["/a/..", "/a/../b", "/a/%2e%2E/b", "/a/.", "/a\\b", "/a b", "/é", "/a#b", "/a\tb"]) {
    it(`refuses the path ${JSON.stringify(path)}, which a URL would change`, () => {
      expect(thrown(Refusal, () => requestOf(event(path))).code).to.equal("malformed");
    });
  }

  it("refuses headers, methods and hosts that HTTP does not know", () => {
    for (const bad of [
      event("/", { headers: { "x-name": "日本" } }),
      event("/", { headers: { "x-name": "a\r\nb: c" } }),
      event("/", { headers: { "bad name": "a" } }),
      event("/", {}, FUNCTION_URL, "TRACE"),
      event("/", {}, FUNCTION_URL, "A B"),
      event("/", {}, "ho st"),
    ]) {
      expect(thrown(Refusal, () => requestOf(bad)).code, JSON.stringify(bad)).to.equal("malformed");
    }
  });

  it("takes ids from the query only where an HTTP API has decoded the path", () => {
    const api = (path: string, rawQueryString = "") => event(path, { rawQueryString }, HTTP_API);
    expect(pathOf(api("/commands/AddNumbers"))).to.equal("/commands/AddNumbers");
    expect(pathOf(api("/views/totals", "id=a%2Fb%3F"))).to.equal("/views/totals?id=a%2Fb%3F");
    expect(pathOf(api("/aggregates/loans/events", "id=a"))).to.equal("/aggregates/loans/events?id=a");
    // Streams, which the application refuses in words of its own.
    for (const path of ["/aggregates/loans/stream", "/views/totals/stream"]) expect(pathOf(api(path))).to.equal(path);
    // Decoded by API Gateway: a "%2F" that was meant must not be decoded again.
    expect(pathOf(api("/commands/%2F é?"))).to.equal("/commands/%252F%20%C3%A9%3F");
    // `/aggregates/loans/a%2Fb`, `/aggregates/loans/a%3Fb` (cut at the "?") and `/views/totals/a`, as they come.
    for (const path of ["/aggregates/loans/a/b", "/aggregates/loans/a", "/views/totals/a", "/aggregates/loans/a/events"])
      expect(thrown(Refusal, () => requestOf(api(path))).message, path).to.contain("?id=");
    expect(thrown(Refusal, () => requestOf(api("/views/\ud800"))).code).to.equal("malformed");
  });
});

describe("An answer on Lambda", () => {
  it("keeps its status, headers and each of its cookies", async () => {
    const headers = new Headers({ "content-type": "application/problem+json", allow: "GET, HEAD" });
    headers.append("set-cookie", "a=1; Path=/");
    headers.append("set-cookie", "b=2, x");
    expect(await resultOf(new Response('{"é":1}', { status: 405, headers }))).to.deep.equal({
      statusCode: 405,
      headers: { "content-type": "application/problem+json", allow: "GET, HEAD" },
      cookies: ["a=1; Path=/", "b=2, x"],
      body: '{"é":1}',
      isBase64Encoded: false,
    });
  });

  it("is encoded where it is no text", async () => {
    const bytes = new Uint8Array([0, 255, 128]);
    const image = await resultOf(new Response(bytes, { headers: { "content-type": "image/png" } }));
    expect([image.isBase64Encoded, image.body]).to.deep.equal([true, "AP+A"]);
    const zipped = await resultOf(
      new Response(bytes, { headers: { "content-type": "application/json", "content-encoding": "gzip" } }),
    );
    expect(zipped.isBase64Encoded).to.equal(true);
  });

  it("is a problem where it would be larger than Lambda sends", async () => {
    const text = (size: number, letter = "x") =>
      resultOf(new Response(letter.repeat(size), { headers: { "content-type": "application/json" } }));
    expect((await text(6_000_000)).statusCode).to.equal(200);
    const large = await text(7_000_000);
    expect([large.statusCode, JSON.parse(large.body ?? "").code]).to.deep.equal([413, "payload_too_large"]);
    expect(large.body).to.contain("?limit=");
    // A quotation mark takes two bytes in the JSON that Lambda gets.
    expect((await text(3_500_000, '"')).statusCode).to.equal(413);
    expect(Buffer.byteLength(JSON.stringify(await text(3_000_000, '"')))).to.be.lessThan(6 * 1024 * 1024);
  });

  it("is a problem in place of a stream, which is cancelled", async () => {
    let isCancelled = false;
    const body = new ReadableStream({
      cancel: () => {
        isCancelled = true;
      },
    });
    const { statusCode, body: text } = await resultOf(new Response(body, { headers: { "content-type": "text/event-stream" } }));
    expect([statusCode, JSON.parse(text ?? "").code, isCancelled]).to.deep.equal([501, "not_implemented", true]);
  });

  it("comes before Lambda's own end, however slow the application is", async () => {
    const handler = httpHandler(() => new Promise<Response>(() => {}));
    const start = performance.now();
    const { statusCode, headers, body } = await handler(await eventOf(new Request("http://host/views/totals")), contextOf(600));
    expect(performance.now() - start).to.be.lessThan(500);
    expect([statusCode, headers?.["retry-after"], JSON.parse(body ?? "").code]).to.deep.equal([503, "1", "deadline"]);
  });

  it("is a problem for a request that cannot be told, and the application is not asked", async () => {
    const handler = httpHandler(() => Promise.reject(new Error("asked")));
    const { statusCode, headers, body } = await handler(event("/a/.."), contextOf());
    expect([statusCode, headers?.["content-type"], JSON.parse(body ?? "").code]).to.deep.equal([
      400,
      "application/problem+json",
      "malformed",
    ]);
  });
});
