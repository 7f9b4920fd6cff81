import { request } from "node:http";
import { expect } from "chai";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { sendRaw } from "../support/functions-raw-http.ts";

const ADD = { aggregateId: "calc1", number1: 1, number2: 2 };

/** What the list of test/functions/conformance cannot say: raw sockets, streams, and what the log holds. */
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

  it("does not quote a malformed body in its answer or its log", async () => {
    const { body } = await backend.command("AddNumbers", '{"password":"hunter2",}');
    expect(body.code).to.equal("malformed");
    expect(JSON.stringify([body, backend.lines])).not.to.contain("hunter2");
  });

  it("refuses a body of 2 MiB by its declared length, before it is sent", async () => {
    const token = await tokenOf();
    const head = `POST /commands/AddNumbers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const answer = await sendRaw(backend.url, `${head}Content-Length: ${2 * 1024 * 1024}\r\n\r\n{"a":"`);
    const { status, body } = answer;
    expect(status).to.equal(413);
    expect(answer.head, "a client must not send its next request here").to.match(/^connection: close\r?$/im);
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

  it("logs what is refused before it is a request of the application in one line each, without anything that was sent", async () => {
    const before = backend.lines.length;
    await sendRaw(backend.url, "SECRET\r\n\r\n");
    await sendRaw(backend.url, `GET / HTTP/1.1\r\nHost: localhost\r\nX-Secret: ${"SECRET".repeat(4_000)}\r\n\r\n`);
    await sendRaw(backend.url, "GET /healthz HTTP/1.1\r\nHost: SECRET b\r\n\r\n");
    await sendRaw(backend.url, "GET /views/../SECRET?token=SECRET HTTP/1.1\r\nHost: localhost\r\nAuthorization: SECRET\r\n\r\n");
    const lines = backend.lines.slice(before).map(({ time: _time, ...line }) => line);
    const line = { severity: "INFO", message: "request", route: "none", code: "malformed" };
    expect(lines).to.deep.equal([400, 431, 400, 400].map((status) => ({ ...line, status })));
  });
});
