import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { bundle } from "../../functions/aws/deploy/build.ts";
import type { HttpResult } from "../../functions/aws/http-event.ts";
import { examples } from "../../functions/composition.ts";
import { eventOf, responseOf } from "../support/aws-events.ts";
import { type FunctionProcess, startFunction } from "../support/aws-process.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { tableAt } from "../support/dynamodb-store.ts";
import { type StreamedTable, streamedTable } from "../support/dynamodb-stream.ts";
import type { AnswerBody } from "../support/functions-backend.ts";
import { type Issuer, type IssuerKey, issuerKey, signedBy, startIssuer } from "../support/jwks-server.ts";

/** The bundle grows with what the application imports: 835,000 bytes when this was written, 105,000 of them for Zod. */
const MOST_BYTES = 900_000;

(hasDynamoDb() ? describe : describe.skip)("The bundled functions, each in a process of its own", function () {
  this.timeout(20_000);
  let folder: string;
  let table: StreamedTable;
  let issuer: Issuer;
  let key: IssuerKey;
  let variables: Readonly<Record<string, string>>;
  const running: FunctionProcess[] = [];

  before(async () => {
    // Far from node_modules, where nothing but the bundle can be found.
    folder = await mkdtemp(join(tmpdir(), "evenant-bundle-"));
    [table, key] = await Promise.all([streamedTable(), issuerKey("k1")]);
    issuer = await startIssuer([key]);
    variables = {
      AWS_ENDPOINT_URL_DYNAMODB: table.endpoint,
      // DynamoDB Local keeps a database for each region and key: that of the test.
      AWS_REGION: "local",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      EVENANT_TABLE: table.table,
      TOKEN_ISSUER: issuer.url,
      TOKEN_AUDIENCE: "client-1",
    };
  });
  afterEach(() => Promise.all(running.splice(0).map((each) => each.close())));
  after(async () => {
    table.close();
    await issuer.close();
    await rm(folder, { recursive: true, force: true });
  });

  const start = (entry: string, changed: Readonly<Record<string, string>> = {}) => {
    const started = startFunction(join(folder, `${entry}.mjs`), { ...variables, ...changed });
    running.push(started);
    return started;
  };
  const send = async (http: FunctionProcess, path: string, { token = "", body }: { token?: string; body?: unknown } = {}) => {
    const request = new Request(`http://host${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const response = responseOf((await http.call(await eventOf(request))) as HttpResult);
    return { status: response.status, body: (await response.json()) as AnswerBody };
  };
  const tokenOf = (tenant: string) =>
    signedBy(key, {
      sub: "ada",
      iss: issuer.url,
      aud: "client-1",
      tenant,
      roles: ["user"],
      exp: Math.floor(Date.now() / 1000) + 600,
    });

  it("are small", async () => {
    expect(await bundle(folder)).to.be.lessThan(MOST_BYTES);
  });

  it("take a command, are rung by its records, show its view, and keep it from the other tenant", async () => {
    const [http, stream] = [start("http"), start("on-stream")];
    const [acme, globex] = [await tokenOf("acme"), await tokenOf("globex")];
    const command = { aggregateId: "calc1", number1: 1, number2: 2 };
    const done = await send(http, "/commands/AddNumbers", { token: acme, body: command });
    expect([done.status, done.body.state]).to.deep.equal([200, { sum: 3 }]);
    expect((await send(http, "/views/totals/calc1", { token: acme })).status, "before the doorbell").to.equal(404);
    expect(await stream.call({ Records: await table.records() })).to.deep.equal({ batchItemFailures: [] });
    const view = await send(http, `/views/totals/calc1?position=${done.body.position}`, { token: acme });
    expect(view.body).to.deep.equal({ id: "calc1", value: { sum: 3, steps: 1 } });
    expect((await send(http, "/views/totals/calc1", { token: globex })).status).to.equal(404);
    expect((await send(http, "/views/totals/stream", { token: acme })).status, "streams").to.equal(501);
    expect((await send(http, "/views/totals", { token: "" })).status).to.equal(401);
    expect((await send(http, "/views/totals", { token: `${acme.slice(0, -4)}AAAA` })).status).to.equal(401);
    const text = [...http.lines, ...stream.lines].join("\n");
    expect(text).to.contain('"route":"/commands/AddNumbers"');
    expect(text).not.to.match(/eyJ[\w-]+\.|number1|"calc1"/);
  });

  it("sweep what was never rung for", async () => {
    const [http, sweep] = [start("http"), start("sweep")];
    const token = await tokenOf("lonely");
    await send(http, "/commands/AddNumbers", { token, body: { aggregateId: "c", number1: 4, number2: 5 } });
    expect(await sweep.call({ "detail-type": "Scheduled Event" })).to.deep.include({ failed: 0, isComplete: true });
    expect((await send(http, "/views/totals/c", { token })).body.value).to.deep.equal({ sum: 9, steps: 1 });
  });

  it("know handlers by the names of their classes, not by what a minifier makes of them: cursors and collections are kept under those", async () => {
    const [http, sweep] = [start("http"), start("sweep")];
    const token = await tokenOf("named");
    await send(http, "/commands/AddNumbers", { token, body: { number1: 1, number2: 2 } });
    await sweep.call({});
    const { store: storeOf, close } = tableAt(table.endpoint, table.table);
    const store = storeOf();
    for (const [thread, handlers] of Object.entries(examples.threads)) {
      const { cursors } = (await store.peek("named", thread)).thread;
      expect(Object.keys(cursors), thread).to.have.members(handlers.map((each) => each.name ?? each.constructor.name));
    }
    await store.close();
    close();
  });

  it("open no tenant by themselves where the operator provisions them", async () => {
    const http = start("http", { EVENANT_TENANTS: "provisioned" });
    const { status, body } = await send(http, "/commands/AddNumbers", {
      token: await tokenOf("stranger"),
      body: { number1: 1, number2: 2 },
    });
    expect([status, body.tenantStatus]).to.deep.equal([403, "absent"]);
  });

  const DEPLOYED = { AWS_LAMBDA_FUNCTION_NAME: "evenant-http" };
  const REFUSED: readonly (readonly [string, string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      "the endpoint of another database in the cloud",
      "http",
      DEPLOYED,
      /AWS_ENDPOINT_URL_DYNAMODB is set in a deployed function/,
    ],
    ["the same, for the stream", "on-stream", DEPLOYED, /AWS_ENDPOINT_URL_DYNAMODB is set/],
    ["the same, for the sweep", "sweep", DEPLOYED, /AWS_ENDPOINT_URL_DYNAMODB is set/],
    ["no table", "http", { EVENANT_TABLE: "" }, /EVENANT_TABLE is not set/],
    ["no issuer", "http", { TOKEN_ISSUER: "" }, /TOKEN_ISSUER is not set/],
    ["no audience", "http", { TOKEN_AUDIENCE: "" }, /TOKEN_AUDIENCE is not set/],
    ["keys over plain HTTP", "http", { TOKEN_JWKS_URI: "http://keys.example/jwks" }, /TOKEN_JWKS_URI .* https/],
    ["an algorithm with a shared secret", "http", { TOKEN_ALGORITHMS: "RS256, HS256" }, /TOKEN_ALGORITHMS names "HS256"/],
    ["the algorithm none", "http", { TOKEN_ALGORITHMS: "none" }, /TOKEN_ALGORITHMS names "none"/],
    ["a tenants policy that there is not", "sweep", { EVENANT_TENANTS: "any" }, /EVENANT_TENANTS is "any"/],
    ["a budget that is none", "sweep", { EVENANT_SWEEP_POLLS: "-1" }, /EVENANT_SWEEP_POLLS is "-1"/],
  ];
  for (const [title, entry, changed, message] of REFUSED) {
    it(`do not start with ${title}`, async () => {
      const started = start(entry, changed);
      let said = "";
      await started.call({}).catch((error: Error) => {
        said = error.message;
      });
      expect(said).to.match(message);
    });
  }
});
