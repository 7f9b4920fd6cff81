import { request } from "node:http";
import { expect } from "chai";
import { type Answer, type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { sendRaw } from "../support/functions-raw-http.ts";

const ADD = { aggregateId: "calc1", number1: 1, number2: 2 };
const nested = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;

/** A request that must be refused: what is sent, and the one problem that comes back. */
interface Case {
  readonly title: string;
  readonly send: (backend: Backend) => Promise<Answer>;
  readonly status: number;
  readonly code: string;
  readonly detail: RegExp;
}

const command = (title: string, body: unknown, status: number, code: string, detail: RegExp, name = "AddNumbers"): Case => ({
  title,
  send: (backend) => backend.command(name, body),
  status,
  code,
  detail,
});

const get = (path: string, status: number, code: string, detail: RegExp): Case => ({
  title: `GET ${path}`,
  send: (backend) => backend.send(path),
  status,
  code,
  detail,
});

const typed = (title: string, headers: Readonly<Record<string, string>>, status: number, code: string, detail: RegExp): Case => ({
  title,
  send: (backend) => backend.command("AddNumbers", ADD, headers),
  status,
  code,
  detail,
});

const CASES: readonly Case[] = [
  // Commands that are none.
  ...[
    "NoSuchCommand",
    "constructor",
    "toString",
    "__proto__",
    "hasOwnProperty",
    "valueOf",
    "addnumbers",
    "NumbersAdded",
    "%2e%2e%2f",
    "a%00b",
  ].map((name) => command(`the command ${name}`, ADD, 404, "not_found", /^command .* was not found/, name)),
  command("a command that is not well encoded", ADD, 400, "invalid_argument", /command/, "%ff"),
  // Bodies.
  command("an empty body", "", 400, "malformed", /not JSON/),
  command("a body cut short", '{"aggregateId":"calc1"', 400, "malformed", /not JSON/),
  command("NaN in a body", '{"aggregateId":"calc1","number1":NaN,"number2":2}', 400, "malformed", /not JSON/),
  command("a BigInt literal in a body", '{"aggregateId":"calc1","number1":1n,"number2":2}', 400, "malformed", /not JSON/),
  command("single quotes in a body", "{'aggregateId':'calc1'}", 400, "malformed", /not JSON/),
  ...["null", "[]", "7", '"text"', "true"].map((body) => command(`the body ${body}`, body, 400, "validation", /not an object/)),
  // Payloads.
  command("a payload of Infinity", '{"aggregateId":"calc1","number1":1e999,"number2":2}', 400, "validation", /number1/),
  command(
    "a payload with __proto__",
    '{"aggregateId":"calc1","number1":1,"number2":2,"__proto__":{"x":1}}',
    400,
    "validation",
    /__proto__/,
  ),
  command(
    "a payload with a lone surrogate",
    '{"aggregateId":"calc1","number1":1,"number2":2,"x":"\\ud800"}',
    400,
    "validation",
    /x: .*surrogate/,
  ),
  command("a payload of depth 101", `{"aggregateId":"calc1","x":${nested(100)}}`, 400, "validation", /depth|deep/),
  command("a payload of depth 100,000", `{"aggregateId":"calc1","x":${nested(100_000)}}`, 400, "validation", /depth|deep/),
  command("a payload of 300 KiB", { ...ADD, text: "x".repeat(300 * 1024) }, 400, "validation", /payload.*bytes/),
  command("a text where a number belongs", { ...ADD, number1: "1" }, 400, "invalid_argument", /number1/),
  command("a date where a number belongs", { ...ADD, number1: new Date(0) }, 400, "invalid_argument", /number1/),
  command("a payload without its fields", { aggregateId: "calc1" }, 400, "invalid_argument", /number1/),
  command(
    "a number that is too large to be kept",
    '{"aggregateId":"calc1","number1":9007199254740993,"number2":2}',
    400,
    "validation",
    /number1: .*send it as a text/,
  ),
  command(
    "a number of 400 digits",
    `{"aggregateId":"calc1","number1":${"9".repeat(400)}}`,
    400,
    "validation",
    /number1: .*send it as a text/,
  ),
  // Addresses and versions.
  ...[-2, 1.5, "0", null, true, 2 ** 53, [], {}].map((expectedVersion) =>
    command(
      `expectedVersion ${JSON.stringify(expectedVersion)}`,
      { ...ADD, expectedVersion },
      400,
      "invalid_argument",
      /expectedVersion/,
    ),
  ),
  command(
    "expectedVersion without aggregateId",
    { number1: 1, number2: 2, expectedVersion: 0 },
    400,
    "missing_argument",
    /aggregateId/,
  ),
  ...[null, 7, [], {}, true].map((aggregateId) =>
    command(`aggregateId ${JSON.stringify(aggregateId)}`, { ...ADD, aggregateId }, 400, "invalid_argument", /aggregateId/),
  ),
  command(
    "another version than the expected one",
    { ...ADD, expectedVersion: 7 },
    409,
    "concurrency",
    /version 0, not at the expected 7/,
  ),
  command("a new aggregate that is there already", { ...ADD, expectedVersion: -1 }, 409, "concurrency", /version 0/),
  command("a command that the state does not allow", { aggregateId: "none" }, 422, "precondition", /is NEW/, "ApproveLoan"),
  // Headers.
  ...["", "é", "x".repeat(257)].map((key) =>
    typed(
      `the Idempotency-Key ${JSON.stringify(key.slice(0, 5))} (${key.length})`,
      { "idempotency-key": key },
      400,
      "invalid_argument",
      /Idempotency-Key/,
    ),
  ),
  typed(
    "an X-Correlation-Id that is too long",
    { "x-correlation-id": "x".repeat(257) },
    400,
    "invalid_argument",
    /X-Correlation-Id/,
  ),
  ...[
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/json; charset=latin1",
  ].map((type) =>
    typed(`the content type ${type}`, { "content-type": type }, 415, "unsupported_media_type", /application\/json/),
  ),
  typed("a compressed body", { "content-encoding": "gzip" }, 415, "unsupported_media_type", /uncompressed/),
  // Reading.
  ...["0", "-1", "1e9", "1000000000", "1001", "1.5", "ten", "", "0x10", "%20", "1&limit=2"].flatMap((limit) => [
    get(`/views/totals?limit=${limit}`, 400, "invalid_argument", /limit/),
    get(`/aggregates/summing-calculators/calc1/events?limit=${limit}`, 400, "invalid_argument", /limit/),
    get(`/events?limit=${limit}`, 400, "invalid_argument", /limit/),
  ]),
  ...["-2", "x", "1.5"].map((after) =>
    get(`/aggregates/summing-calculators/calc1/events?after=${after}`, 400, "invalid_argument", /after/),
  ),
  ...["-1", "x"].map((after) => get(`/events?after=${after}`, 400, "invalid_argument", /after/)),
  ...["-1", "x", "1.5", ""].map((version) =>
    get(`/aggregates/summing-calculators/calc1?version=${version}`, 400, "invalid_argument", /version/),
  ),
  ...["-1", "x", ""].map((position) => get(`/views/totals?position=${position}`, 400, "invalid_argument", /position/)),
  get("/aggregates/summing-calculators/calc1?version=7", 404, "not_found", /version 7/),
  get("/aggregates/summing-calculators/unknown", 404, "not_found", /aggregate/),
  get("/aggregates/summing-calculators/unknown/events", 404, "not_found", /aggregate/),
  get("/aggregates/summing-calculators", 400, "missing_argument", /id/),
  get("/views/totals/unknown", 404, "not_found", /view/),
  ...["unknown", "constructor", "__proto__", "toString"].flatMap((name) => [
    get(`/aggregates/${name}/calc1`, 404, "not_found", /aggregate type/),
    get(`/aggregates/${name}/calc1/events`, 404, "not_found", /aggregate type/),
    get(`/views/${name}`, 404, "not_found", /view collection/),
    get(`/views/${name}/calc1`, 404, "not_found", /view collection/),
  ]),
  get("/", 404, "unknown_route", /no such route/),
  get("/commands", 404, "unknown_route", /no such route/),
  get("/views/", 404, "unknown_route", /no such route/),
  get("/views/totals/calc1/more", 404, "unknown_route", /no such route/),
  get("/aggregates", 404, "unknown_route", /no such route/),
  get("/healthz/", 404, "unknown_route", /no such route/),
];

describe("Bad input over HTTP", () => {
  let backend: Backend;
  before(async () => {
    backend = await startBackend({ patience: 50 });
    const token = await tokenOf({ roles: ["user", "manager", "auditor"] });
    const { send } = backend;
    backend = { ...backend, send: (path, init) => send(path, { token, ...init }) };
    await backend.command("AddNumbers", ADD);
  });
  after(() => backend.close());

  for (const { title, send, status, code, detail } of CASES) {
    it(`refuses ${title}: ${status} ${code}, nothing written`, async () => {
      const before = await backend.written();
      const answer = await send(backend);
      expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
      expect(answer.headers.get("content-type")).to.equal("application/problem+json");
      expect(answer.body).to.include({ status, code });
      expect(answer.body.title).to.be.a("string");
      expect(answer.body.detail).to.match(detail);
      expect(await backend.written()).to.deep.equal(before);
    });
  }

  it("tells the facts of a conflict as fields", async () => {
    const { body } = await backend.command("AddNumbers", { ...ADD, expectedVersion: 7 });
    expect(body).to.include({ expected: 7, actual: 0, aggregateType: "summing-calculators", aggregateId: "calc1" });
  });

  it("tells the path of what is no value", async () => {
    const { body } = await backend.command("AddNumbers", '{"aggregateId":"calc1","x":{"y":[1,1e999]}}');
    expect(body).to.include({ code: "validation", path: "payload.x.y.1" });
  });

  it("keeps integers that a number can hold, however long they are", async () => {
    const body =
      '{"aggregateId":"1234567890123456","number1":9007199254740991,"number2":0,"x":[9007199254740994,1.0000000000000001]}';
    expect((await backend.command("AddNumbers", body)).body).to.deep.include({ state: { sum: 9007199254740991 } });
  });

  it("does not quote a malformed body in its answer or its log", async () => {
    const { body } = await backend.command("AddNumbers", '{"password":"hunter2",}');
    expect(body.code).to.equal("malformed");
    expect(JSON.stringify([body, backend.lines])).not.to.contain("hunter2");
  });

  it("refuses a role that the command does not admit, a reader of the log who is no auditor, and of views whose readers it is not", async () => {
    const before = await backend.written();
    const token = await tokenOf({ roles: ["nobody"] });
    const denied = await backend.command("AddNumbers", ADD, {}, token);
    expect(denied.status).to.equal(403);
    expect(denied.body).to.include({ code: "authorization", command: "AddNumbers" });
    const log = await backend.send("/events", { token });
    expect(log.status).to.equal(403);
    expect(log.body.code).to.equal("authorization");
    expect(log.body.detail).to.contain("auditor");
    for (const path of ["/views/loans", "/views/loans/loan1", "/views/accounts?position=1"]) {
      const view = await backend.send(path, { token });
      expect([view.status, view.body.code], path).to.deep.equal([403, "authorization"]);
      expect(view.body.detail, path).to.contain("readers");
    }
    expect((await backend.send("/views/totals", { token })).status, "readers: tenant").to.equal(200);
    expect(await backend.written()).to.deep.equal(before);
  });

  it("refuses a key that belongs to another command or actor", async () => {
    const key = { "idempotency-key": "taken" };
    await backend.command("AddNumbers", ADD, key);
    const before = await backend.written();
    const other = await tokenOf({ sub: "bob" });
    for (const answer of [
      await backend.command("AddNumbers", { ...ADD, number1: 7 }, key),
      await backend.command("SubtractNumbers", ADD, key),
      await backend.command("AddNumbers", ADD, key, other),
    ]) {
      expect(answer.status).to.equal(422);
      expect(answer.body).to.include({ code: "idempotency", commandId: "taken" });
    }
    expect(await backend.written()).to.deep.equal(before);
  });

  for (const [method, path, allow] of [
    ["GET", "/commands/AddNumbers", "POST"],
    ["PUT", "/commands/AddNumbers", "POST"],
    ["DELETE", "/aggregates/summing-calculators/calc1", "GET, HEAD"],
    ["POST", "/aggregates/summing-calculators/calc1", "GET, HEAD"],
    ["PATCH", "/views/totals/calc1", "GET, HEAD"],
    ["POST", "/events", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["OPTIONS", "/views/totals", "GET, HEAD"],
  ] as const) {
    it(`refuses ${method} ${path}: 405, and says what is allowed`, async () => {
      const answer = await backend.send(path, { method });
      expect(answer.status).to.equal(405);
      expect(answer.headers.get("allow")).to.equal(allow);
      expect(answer.headers.get("content-type")).to.equal("application/problem+json");
      expect(answer.body.code).to.equal("method_not_allowed");
    });
  }

  it("refuses a body of 2 MiB by its declared length, before it is sent", async () => {
    const token = await tokenOf();
    const head = `POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const { status, body } = await sendRaw(backend.url, `${head}Content-Length: ${2 * 1024 * 1024}\r\n\r\n{"a":"`);
    expect(status).to.equal(413);
    expect(JSON.parse(body)).to.include({ code: "payload_too_large" });
  });

  it("refuses a body of 2 MiB while it streams, without waiting for its end", async () => {
    const token = await tokenOf();
    const before = await backend.written();
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const outgoing = request(`${backend.url}/commands/AddNumbers`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "transfer-encoding": "chunked" },
      });
      outgoing.on("response", (incoming) => {
        let text = "";
        incoming.on("data", (chunk) => {
          text += chunk;
        });
        incoming.on("end", () => {
          outgoing.destroy();
          resolve({ status: incoming.statusCode, text });
        });
      });
      outgoing.on("error", reject);
      // A little more than is allowed, and never an end.
      outgoing.write(`{"a":"${"x".repeat(1024 * 1024)}`);
    });
    expect(answer.status).to.equal(413);
    expect(JSON.parse(answer.text)).to.include({ code: "payload_too_large" });
    expect(await backend.written()).to.deep.equal(before);
  });

  it("answers a whole body of 2 MiB, declared or chunked, with 413", async () => {
    const body = JSON.stringify({ ...ADD, text: "x".repeat(2 * 1024 * 1024) });
    expect((await backend.command("AddNumbers", body)).status).to.equal(413);
    const stream = new Blob([body]).stream();
    const headers = { "content-type": "application/json" };
    const answer = await backend.send("/commands/AddNumbers", {
      method: "POST",
      body: stream,
      headers,
      duplex: "half",
    } as RequestInit);
    expect(answer.status).to.equal(413);
  });

  it("takes a body of just under 1 MiB, and leaves it to the command's own limit", async () => {
    const answer = await backend.command("AddNumbers", { ...ADD, text: "x".repeat(1024 * 1024 - 100) });
    expect(answer.body).to.include({ code: "validation" });
  });

  it("answers what is no HTTP with a problem too", async () => {
    const { status, body } = await sendRaw(backend.url, "NONSENSE\r\n\r\n");
    expect(status).to.equal(400);
    expect(JSON.parse(body)).to.include({ code: "malformed" });
    const big = await sendRaw(backend.url, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(big.status).to.equal(431);
    const host = await sendRaw(backend.url, "GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n");
    expect(host.status).to.equal(400);
    expect(JSON.parse(host.body)).to.include({ code: "malformed" });
  });
});
