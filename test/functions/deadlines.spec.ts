import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { app } from "../../functions/app.ts";
import { compose, examples } from "../../functions/composition.ts";
import { actorOf } from "../support/actors.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";

const never = () => new Promise<never>(() => {});

describe("The deadline of a request", () => {
  let backend: Backend;
  before(async () => {
    const store = new MemoryEventStore();
    backend = await startBackend({ store, deadline: 60 });
    const stuck = { commit: never, load: never, read: never, positionOf: never, receipt: never };
    Object.assign(store, stuck, { views: () => ({ get: never, list: never }), peek: never });
  });
  after(() => backend.close());

  for (const path of [
    "/aggregates/summing-calculators?id=calc1",
    "/aggregates/summing-calculators/calc1",
    "/aggregates/summing-calculators/calc1?version=0",
    "/aggregates/summing-calculators/calc1/events",
    "/aggregates/summing-calculators/events?id=calc1",
    "/views/totals",
    "/views/totals/calc1",
    "/views/totals?position=1",
    "/events",
  ]) {
    it(`holds for GET ${path}`, async () => {
      const { status, headers, body } = await backend.send(path, { token: await tokenOf({ roles: ["user", "auditor"] }) });
      expect([status, body.code, headers.get("retry-after")]).to.deep.equal([503, "deadline", "1"]);
    });
  }

  it("holds for a command", async () => {
    const { status, body } = await backend.command("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
    expect([status, body.code]).to.deep.equal([503, "deadline"]);
  });

  it("holds for a body that never ends", async () => {
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"a":')) });
    const answer = await backend.send("/commands/AddNumbers", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
      duplex: "half",
    } as RequestInit);
    expect([answer.status, answer.body.code]).to.deep.equal([503, "deadline"]);
  });
});

describe("A command whose time was over before its turn came", () => {
  it("is not carried out any more, so that it keeps nobody else waiting", async () => {
    const held = gate();
    const inner = new MemoryEventStore();
    await inner.open("acme");
    let commits = 0;
    const store = intercepted(inner, {
      commit: async (...given) => {
        if (commits++ === 0) await held.passed;
        return inner.commit(...given);
      },
    });
    const service = compose(store, examples);
    const authenticate = async () => actorOf("acme", "ada", ["user"]);
    const { request } = app({ service, authenticate, deadline: 300, fairShare: { atOnce: 1 } });
    const add = (aggregateId: string) =>
      request("/commands/AddNumbers", {
        method: "POST",
        body: JSON.stringify({ aggregateId, number1: 1, number2: 2 }),
        headers: { "content-type": "application/json" },
      });
    const late = await Promise.all(["first", "second", "third"].map(add));
    expect(late.map(({ status }) => status)).to.deep.equal([503, 503, 503]);
    held.open();
    expect((await add("fourth")).status).to.equal(200);
    const stored = await inner.read("acme", 0, 10);
    expect(stored.commits.map(({ id }) => id)).to.deep.equal(["first", "fourth"]);
    await inner.close();
  });
});
