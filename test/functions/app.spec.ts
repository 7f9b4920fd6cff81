import { expect } from "chai";
import { app } from "../../functions/app.ts";
import { compose, examples } from "../../functions/composition.ts";
import { actorOf } from "../support/actors.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";

describe("The application on the example domains", () => {
  let backend: Backend;
  beforeEach(async () => {
    backend = await startBackend();
  });
  afterEach(() => backend.close());

  it("answers a command with what became of it", async () => {
    const first = await backend.command("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
    expect(first.status).to.equal(200);
    expect(first.headers.get("cache-control")).to.equal("no-store");
    expect(first.body.commitId).to.match(/^[\w-]{21}$/);
    expect({ ...first.body, commitId: "" }).to.deep.equal({
      aggregateId: "calc1",
      version: 0,
      position: 1,
      commitId: "",
      replayed: false,
      events: [{ name: "NumbersAdded", payload: { number1: 1, number2: 2 }, schemaVersion: 0 }],
      state: { sum: 3 },
    });
    const second = await backend.command("SubtractNumbers", {
      aggregateId: "calc1",
      number1: 1,
      number2: 1,
      expectedVersion: 0,
    });
    expect(second.body).to.deep.include({ version: 1, position: 2, state: { sum: 1 } });
  });

  it("makes an id where the sender gives none", async () => {
    const { body } = await backend.command("AddNumbers", { number1: 1, number2: 2 });
    expect(body.aggregateId).to.match(/^[\w-]{21}$/);
    expect(body.version).to.equal(0);
  });

  it("replays a command that is sent again with its key, and writes nothing", async () => {
    const key = { "idempotency-key": "k-1", "x-correlation-id": "c-1" };
    const data = { aggregateId: "calc1", number1: 1, number2: 2, expectedVersion: -1 };
    const first = await backend.command("AddNumbers", data, key);
    await backend.command("AddNumbers", { aggregateId: "calc1", number1: 5, number2: 5 });
    const before = await backend.written();
    const again = await backend.command("AddNumbers", data, key);
    expect(again.body).to.deep.equal({ ...first.body, replayed: true });
    expect(await backend.written()).to.deep.equal(before);
    expect(before[0]![1][0]).to.include({ correlationId: "c-1" });
  });

  it("travels in time", async () => {
    for (const number1 of [1, 10, 100]) await backend.command("AddNumbers", { aggregateId: "calc1", number1, number2: 0 });
    const sums: number[] = [];
    for (const version of [0, 1, 2]) {
      const { body } = await backend.send(`/aggregates/summing-calculators/calc1?version=${version}`);
      expect(body.version).to.equal(version);
      sums.push(body.state.sum);
    }
    expect(sums).to.deep.equal([1, 11, 111]);
    expect((await backend.send("/aggregates/summing-calculators/calc1")).body.state.sum).to.equal(111);
  });

  it("pages through an aggregate's history", async () => {
    for (let number1 = 0; number1 < 5; number1++)
      await backend.command("AddNumbers", { aggregateId: "calc1", number1, number2: 0 });
    const versions: number[] = [];
    for (let after: number | undefined = -1; after !== undefined; ) {
      const { body } = await backend.send(`/aggregates/summing-calculators/calc1/events?after=${after}&limit=2`);
      versions.push(...body.commits.map(({ version }) => version));
      after = body.next;
    }
    expect(versions).to.deep.equal([0, 1, 2, 3, 4]);
    const { body } = await backend.send("/aggregates/summing-calculators/calc1/events");
    expect(body.commits[0]).to.include({ command: "AddNumbers", type: "summing-calculators", id: "calc1" });
    expect(body.commits[0]).not.to.have.any.keys("tenant", "receipt");
  });

  it("pages through the tenant's log, for auditors", async () => {
    for (const id of ["a", "b", "c"]) await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 0 });
    const token = await tokenOf({ roles: ["auditor"] });
    const first = await backend.send("/events?limit=2", { token });
    expect(first.body.commits.map(({ id }) => id)).to.deep.equal(["a", "b"]);
    const second = await backend.send(`/events?after=${first.body.next}`, { token });
    expect(second.body.commits.map(({ id, position }) => [id, position])).to.deep.equal([["c", 3]]);
    expect((await backend.send(`/events?after=${second.body.next}`, { token })).body).to.deep.equal({ commits: [], next: 3 });
  });

  it("reads the sender's own write, and pages through views", async () => {
    let position = 0;
    for (const id of ["a", "b", "c"]) {
      position = (await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 0 })).body.position;
      const own = await backend.send(`/views/totals/${id}?position=${position}`);
      expect(own.body).to.deep.equal({ id, value: { sum: 1, steps: 1 } });
    }
    const ids: string[] = [];
    for (let more = ""; ; ) {
      const { body } = await backend.send(`/views/totals?limit=2${more}`);
      ids.push(...body.views.map(({ id }) => id));
      if (body.next === undefined) break;
      more = `&after=${body.next}`;
    }
    expect(ids.sort()).to.deep.equal(["a", "b", "c"]);
  });

  it("says that it lives, to anybody; and answers HEAD", async () => {
    const health = await backend.send("/healthz", { token: "" });
    expect([health.status, health.body]).to.deep.equal([200, { status: "ok" }]);
    expect((await fetch(`${backend.url}/healthz`, { method: "HEAD" })).status).to.equal(200);
  });

  it("takes a command that the sender may send only by the state", async () => {
    await backend.command("CreateUser", { aggregateId: "ada", name: "Ada" });
    const post = await backend.command("CreatePost", { aggregateId: "p1", title: "Hello", body: "…" });
    expect(post.status).to.equal(200);
    const bob = await tokenOf({ sub: "bob" });
    const denied = await backend.command("ArchivePost", { aggregateId: "p1" }, {}, bob);
    expect(denied.status).to.equal(403);
    expect((await backend.command("ArchivePost", { aggregateId: "p1" })).status).to.equal(200);
    const again = await backend.command("ArchivePost", { aggregateId: "p1" });
    expect(again.body).to.deep.include({ version: 1, events: [], replayed: false });
  });

  it("logs each request by its route, with its facts", async () => {
    await backend.command("AddNumbers", { aggregateId: "secret-id", number1: 1, number2: 2 });
    await backend.send("/aggregates/summing-calculators/secret-id?version=9");
    const [command, read] = backend.lines;
    expect(command).to.include({
      message: "request",
      method: "POST",
      route: "/commands/AddNumbers",
      status: 200,
      tenant: "acme",
      actor: "ada",
    });
    expect(read).to.include({
      severity: "INFO",
      method: "GET",
      route: "/aggregates/:type/:id",
      status: 404,
      code: "not_found",
    });
    expect(JSON.stringify(backend.lines)).not.to.contain("secret-id");
  });

  it("tells whoever checks tokens which command is sent, among those that there are", async () => {
    const asked: (string | undefined)[] = [];
    const authenticate = async (_authorization: string | null, command?: string) => {
      asked.push(command);
      return actorOf("acme");
    };
    const served = app({ service: compose(backend.store, examples), authenticate });
    for (const name of ["AddNumbers", "Add%4eumbers", "MadeUp", "%zz", "constructor"])
      await served.request(`/commands/${name}`, { method: "POST" });
    await served.request("/events");
    expect(asked).to.deep.equal(["AddNumbers", "AddNumbers", undefined, undefined, undefined, undefined]);
  });
});
