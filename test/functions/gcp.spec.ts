import { once } from "node:events";
import { request } from "node:http";
import { json } from "node:stream/consumers";
import { expect } from "chai";
import type { Firestore } from "firebase-admin/firestore";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { doorbell } from "../../functions/doorbell.ts";
import { placeIn } from "../../functions/gcp/backend.ts";
import type { Log } from "../../functions/log.ts";
import { sweeper } from "../../functions/sweep.ts";
import { type ServedFunction, servedFunction } from "../support/functions-framework.ts";
import { recorded } from "../support/functions-recorder.ts";
import { gate } from "../support/gate.ts";
import { rejects } from "../support/rejects.ts";

describe("The functions in functions-framework's own server", () => {
  const open: ServedFunction[] = [];
  const serve = async (name: Parameters<typeof servedFunction>[0], backend: Parameters<typeof servedFunction>[1]) => {
    const served = await servedFunction(name, backend);
    open.push(served);
    return served.url;
  };
  const failures: unknown[] = [];
  const log: Log = (severity, _message, { error } = {}) => {
    if (severity === "ERROR") failures.push((error as { readonly message?: string }).message);
  };
  afterEach(async () => {
    failures.length = 0;
    for (const served of open.splice(0)) await served.close();
  });

  describe("command", () => {
    it("gets targets, headers and bodies as they were sent, whatever the framework would make of them", async () => {
      const url = await serve("command", {
        fetch: async (asked) => {
          const headers = Object.fromEntries(["content-type", "content-encoding"].map((name) => [name, asked.headers.get(name)]));
          return Response.json({ url: asked.url, headers, body: await asked.text() });
        },
      });
      const path = "/commands/%zz/a%2Fb//?x=%FF&x=1";
      const headers = { "content-type": "application/json; charset=nonsense", "content-encoding": "gzip" };
      for (const body of ['{"a":', "not gzip", "", "null", "x".repeat(1_500_000)]) {
        const answer = await fetch(`${url}${path}`, { method: "POST", headers, body });
        expect(answer.status).to.equal(200);
        expect(answer.headers.get("x-powered-by")).to.equal(null);
        expect(await answer.json()).to.deep.equal({ url: `${url}${path}`, headers, body });
      }
      expect(await (await fetch(`${url}/favicon.ico`)).json()).to.have.property("url", `${url}/favicon.ico`);
    });

    it("is called before the body has come, so that nobody's body is kept before the sender is known", async () => {
      const url = await serve("command", {
        fetch: async (asked) => Response.json({ length: asked.headers.get("content-length") }, { status: 401 }),
      });
      const outgoing = request(url, { method: "POST", headers: { "content-length": 50_000_000 } });
      outgoing.on("error", () => {});
      outgoing.write("the first bytes of many");
      const [answer] = await once(outgoing, "response");
      expect([answer.statusCode, await json(answer)]).to.deep.equal([401, { length: "50000000" }]);
      outgoing.destroy();
    });

    it("streams its answer, and hears that the client has gone", async () => {
      const gone = gate();
      const next = gate();
      const url = await serve("command", {
        fetch: (asked) => {
          asked.signal.addEventListener("abort", gone.open);
          const parts = new ReadableStream<Uint8Array>({
            start: async (stream) => {
              stream.enqueue(new TextEncoder().encode("data: one\n\n"));
              await next.passed;
              stream.enqueue(new TextEncoder().encode("data: two\n\n"));
            },
          });
          return new Response(parts, { headers: { "content-type": "text/event-stream" } });
        },
      });
      const outgoing = request(`${url}/views/totals/stream`).end();
      const [answer] = await once(outgoing, "response");
      answer.setEncoding("utf8");
      expect(await once(answer, "data")).to.deep.equal(["data: one\n\n"]);
      next.open();
      expect(await once(answer, "data")).to.deep.equal(["data: two\n\n"]);
      outgoing.destroy();
      await gone.passed;
    });

    it("answers an application that throws in the application's own words, without the error's", async () => {
      const url = await serve("command", {
        fetch: () => {
          throw new Error("the secret is 42");
        },
        log,
      });
      const answer = await fetch(url);
      const body = await answer.text();
      expect(answer.status).to.equal(500);
      expect(JSON.parse(body)).to.deep.include({ code: "internal" });
      expect(body).to.not.include("the secret");
      expect(failures).to.deep.equal(["the secret is 42"]);
    });
  });

  describe("onCommit", () => {
    const event = (document: string, headers: Readonly<Record<string, string>> = {}) => ({
      method: "POST",
      headers: {
        "ce-id": "b0b4f4d6-bb06-4c74-b3bb-b84b0392e47f",
        "ce-specversion": "1.0",
        "ce-type": "google.cloud.firestore.document.v1.written",
        "ce-source": "//firestore.googleapis.com/projects/demo-evenant/databases/(default)",
        "ce-subject": `documents/${document}`,
        "ce-document": document,
        "ce-time": "2026-01-01T00:00:00.000000Z",
        "content-type": "application/protobuf",
        ...headers,
      },
      // The payload is not read, so that any will do.
      body: new Uint8Array([0x0a, 0x03, 0xff, 0xfe, 0x00]),
    });

    it("feeds the tenant's handlers, once for each event, however often and in whatever order it comes", async () => {
      const { store, service, seen, add } = recorded(["main", "mail"]);
      await add("acme", "a", 3);
      const url = await serve("onCommit", { ring: doorbell({ store, service }) });
      const answers = await Promise.all(Array.from({ length: 12 }, () => fetch(url, event("tenants/acme/log/open"))));
      for (const answer of answers) expect(answer.status).to.equal(204);
      await fetch(url, event("tenants/acme/log/open"));
      for (const notes of Object.values(seen)) expect(notes).to.deep.equal(["acme/a/0", "acme/a/1", "acme/a/2"]);
    });

    it("takes the tenant from the subject where the attribute is absent, and knows later lives", async () => {
      const rung: string[] = [];
      const url = await serve("onCommit", {
        ring: async (tenant) => {
          rung.push(tenant);
          return { tenant, status: "idle", handled: 0 };
        },
      });
      const { "ce-document": _document, ...headers } = event("tenants/acme/log/open-2").headers;
      expect((await fetch(url, { ...event(""), headers })).status).to.equal(204);
      for (const document of [
        "tenants/acme/log/a1",
        "tenants/acme/log/life-1",
        "tenants/acme/log/closed",
        "tenants/acme/log/open/deep",
        "tenants/acme/events/open",
        "tenants/a/b/log/open",
        "nonsense",
        "",
      ]) {
        expect((await fetch(url, event(document))).status, document).to.equal(204);
      }
      expect(rung).to.deep.equal(["acme"]);
    });

    it("takes a forged tenant without complaint, and says so in the log without naming it", async () => {
      const lines: unknown[] = [];
      const { service } = recorded();
      const url = await serve("onCommit", {
        ring: doorbell({ store: new MemoryEventStore(), service }),
        log: (...line) => lines.push(line),
      });
      for (const name of ["nobody", "..", "__proto__", "x".repeat(200)]) {
        expect((await fetch(url, event(`tenants/${name}/log/open`))).status).to.equal(204);
      }
      expect(lines).to.deep.equal(Array(4).fill(["WARNING", "a trigger named a tenant that there is not"]));
    });

    it("tells the platform of a failure, so that it may ring again", async () => {
      const url = await serve("onCommit", { ring: async () => Promise.reject(new Error("no such luck")) });
      expect((await fetch(url, event("tenants/acme/log/open"))).status).to.equal(500);
    });
  });

  describe("sweep", () => {
    it("reads who is behind, and says what it did", async () => {
      const { store, service, seen, add } = recorded();
      for (const tenant of ["acme", "twin"]) await add(tenant, "a");
      const url = await serve("sweep", { sweep: sweeper({ store, service }) });
      const answer = await fetch(url, { method: "POST" });
      expect(answer.status).to.equal(200);
      expect(await answer.json()).to.deep.equal({ tenants: 2, polls: 4, handled: 2, failed: 0, isComplete: true });
      expect(seen.main).to.have.members(["acme/a/0", "twin/a/0"]);
    });

    it("asks for POST, as Cloud Scheduler sends it", async () => {
      const url = await serve("sweep", {});
      const answer = await fetch(url);
      expect(answer.status).to.equal(405);
      expect(answer.headers.get("allow")).to.equal("POST");
    });

    it("fails where the registry cannot be read", async () => {
      const url = await serve("sweep", { sweep: async () => Promise.reject(new Error("no such luck")), log });
      expect((await fetch(url, { method: "POST" })).status).to.equal(500);
      expect(failures).to.deep.equal(["no such luck"]);
    });

    it("waits for its place no longer than a deadline", async () => {
      const never = () => new Promise<never>(() => {});
      const place = placeIn({ doc: () => ({ get: never, set: never }) } as unknown as Pick<Firestore, "doc">, 20);
      for (const asked of [place.read(), place.write("acme")])
        expect((await rejects(Error, asked)).message).to.equal("no answer within 20 ms");
    });
  });
});
