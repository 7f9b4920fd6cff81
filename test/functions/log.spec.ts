import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Err, StoreError } from "../../core/index.ts";
import { errorFacts, jsonLog } from "../../functions/log.ts";
import { type Answer, type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { HTTP_CASES } from "./conformance/cases.ts";
import { PEOPLE, type Sent } from "./conformance/http-case.ts";
import { bareHost, type OpenedHost, openHost } from "./conformance/http-host.ts";

/** A request with secrets wherever there is room for one that does not change what it means. */
function planted(sent: Sent): Sent {
  const { path, headers = {}, body } = sent;
  const isObject = typeof body === "object" && body !== null && !(body instanceof Uint8Array);
  return {
    ...sent,
    path: `${path}${path.includes("?") ? "&" : "?"}access_token=planted-query`,
    headers: { cookie: "session=planted-cookie", "x-api-key": "planted-header", ...headers },
    ...(isObject && { body: { ...body, secret: "planted-payload" } }),
  };
}

describe("The log", () => {
  describe("of the whole list of HTTP cases, with secrets planted in each request", () => {
    const lines: string[] = [];
    let host: OpenedHost;
    let requests = 0;

    const sendAll = async () => {
      for (const { steps } of HTTP_CASES) {
        const seen: Answer[] = [];
        for (const { send } of steps) {
          const sent = planted(typeof send === "function" ? send(seen) : send);
          seen.push(await host.send(sent));
          requests++;
        }
      }
    };

    before(async function () {
      this.timeout(30_000);
      const store = new MemoryEventStore();
      host = await openHost(store, bareHost, { log: jsonLog((line) => lines.push(line)), patience: 20 });
      await sendAll();
      const cause = new Error("cannot write planted-cause", { cause: "planted-text" });
      store.commit = () => Promise.reject(new StoreError("the disk is full", { retryable: false, cause }));
      store.load = () => Promise.reject(new Err("integrity", "a commit is broken", { cause: parseError('{"a": planted-json}') }));
      await sendAll();
    });
    after(() => host.close());

    it("has one line for each request, and is JSON", () => {
      const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(parsed.length).to.equal(requests);
      for (const line of parsed) {
        expect(line).to.include.keys("time", "severity", "message", "method", "route", "status", "ms", "requestId");
        expect(line.severity).to.equal(line.status === 500 ? "ERROR" : (line.status as number) > 500 ? "WARNING" : "INFO");
      }
      for (const status of [200, 204, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 500, 503])
        expect(
          parsed.some((line) => line.status === status),
          String(status),
        ).to.equal(true);
    });

    it("holds none of the secrets, no token, and nothing of a payload or an id", async () => {
      const text = lines.join("");
      expect(text).not.to.match(/planted/);
      expect(text).not.to.match(/eyJ[\w-]+\.|Bearer/);
      expect(text).not.to.match(/number1|"amount"|read-1|cmd-5|DROP TABLE|%2F/);
      for (const claims of Object.values(PEOPLE)) expect(text).not.to.contain(await tokenOf(claims));
    });

    it("names routes by their pattern only, and commands that there are", () => {
      const routes = new Set(lines.map((line) => (JSON.parse(line) as { route: string }).route));
      expect([...routes].sort()).to.deep.equal([
        "/aggregates/:type",
        "/aggregates/:type/:id",
        "/aggregates/:type/:id/events",
        "/aggregates/:type/events",
        "/commands/:command",
        "/commands/AddNumbers",
        "/commands/ApproveLoan",
        "/commands/ArchivePost",
        "/commands/CreatePost",
        "/commands/CreateUser",
        "/commands/SubtractNumbers",
        "/events",
        "/healthz",
        "/openapi.json",
        "/views/:collection",
        "/views/:collection/:id",
        "none",
      ]);
    });

    it("says what failed, to the operator", () => {
      const failures = lines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ error }) => error !== undefined);
      expect(failures.some(({ error }) => JSON.stringify(error).includes("the disk is full"))).to.equal(true);
      expect(failures.some(({ error }) => JSON.stringify(error).includes("a commit is broken"))).to.equal(true);
    });
  });

  describe("of errors", () => {
    it("keeps the messages of errors and of system causes, and what is known of others without what they say", () => {
      const system = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
      const facts = errorFacts(new StoreError("not written", { retryable: true, cause: system })) as Record<string, unknown>;
      expect(facts).to.include({ name: "StoreError", code: "store", message: "not written" });
      expect(facts.cause).to.include({ code: "ECONNREFUSED", message: "connect ECONNREFUSED" });
      const quoting = errorFacts(new Error("decoding", { cause: new TypeError("secret is not a number") })) as Record<
        string,
        object
      >;
      expect(quoting.cause).to.have.all.keys("name", "stack");
      expect(JSON.stringify(quoting.cause)).to.contain("log.spec.ts").and.not.to.contain("secret");
    });

    it("ends with a chain of causes that does not", () => {
      const error = new Error("round and round");
      error.cause = error;
      expect(JSON.stringify(errorFacts(error)).split('"cause"').length).to.be.below(20);
    });

    it("keeps no message of a parser, which quotes what it parsed", () => {
      const text = JSON.stringify(errorFacts(parseError('{"password": hunter2}')));
      expect(text).to.contain("SyntaxError").and.not.to.contain("hunter2");
    });
  });

  describe("of a trace", () => {
    const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    const W3C = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
    let backend: Backend;
    const lineOf = async (headers: Readonly<Record<string, string>>, traceProject?: string) => {
      backend = await startBackend(traceProject === undefined ? {} : { traceProject });
      await backend.send("/views/totals", { headers });
      return backend.lines[0] as Record<string, unknown>;
    };
    afterEach(() => backend.close());

    it("is W3C's, by its id", async () => {
      expect(await lineOf(W3C)).to.include({ trace: TRACE, spanId: "00f067aa0ba902b7" });
    });

    it("is Google's, as Cloud Logging wants it where the project is known", async () => {
      const line = await lineOf({ "x-cloud-trace-context": `${TRACE}/123;o=1` }, "demo");
      expect(line["logging.googleapis.com/trace"]).to.equal(`projects/demo/traces/${TRACE}`);
      expect(line).not.to.have.property("trace");
    });

    it("is W3C's before Google's", async () => {
      const line = await lineOf({ ...W3C, "x-cloud-trace-context": `${"f".repeat(32)}/1` }, "demo");
      expect(line["logging.googleapis.com/trace"]).to.equal(`projects/demo/traces/${TRACE}`);
      expect(line["logging.googleapis.com/spanId"]).to.equal("00f067aa0ba902b7");
    });

    it("is Amazon's, in the form of W3C's", async () => {
      const parts = `${TRACE.slice(0, 8)}-${TRACE.slice(8)}`;
      expect(await lineOf({ "x-amzn-trace-id": `Self=1-67891234-0123456789abcdef01234567;Root=1-${parts}` })).to.include({
        trace: TRACE,
      });
    });

    it("is none where a header is none of them", async () => {
      const line = await lineOf(
        { traceparent: `00-planted-${TRACE}`, "x-cloud-trace-context": "planted", "x-amzn-trace-id": "Root=planted" },
        "demo",
      );
      expect(JSON.stringify(line)).not.to.match(/planted|trace/);
    });
  });
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
