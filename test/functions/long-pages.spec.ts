import { expect } from "chai";
import { type Answer, type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { notes } from "../support/notes.ts";

/** 45,000 letters each: a page of 100 is longer than what is long enough. */
const TEXT = "x".repeat(45_000);
const COUNT = 230;

describe("A thousand long commits or views in one request", () => {
  let backend: Backend;
  let token: string;
  before(async () => {
    backend = await startBackend({ composition: notes });
    token = await tokenOf({ roles: ["auditor"] });
    for (let index = 0; index < COUNT; index++) await backend.command("TakeNote", { aggregateId: "n", text: TEXT }, {}, token);
    await backend.send(`/views/notes?limit=1&position=${COUNT}`, { token });
  });
  after(() => backend.close());

  const placesIn = ({ body }: Answer, name: "commits" | "views") =>
    body[name].map((one) => ("version" in one ? one.version : one.id));

  for (const [path, name] of [
    ["/aggregates/notes/n/events", "commits"],
    ["/events", "commits"],
    ["/views/notes", "views"],
  ] as const) {
    it(`comes in answers of bounded length, with the place to go on: ${path}`, async () => {
      const all: unknown[] = [];
      const sizes: number[] = [];
      for (let after = ""; ; ) {
        const answer = await backend.send(`${path}?limit=1000${after}`, { token });
        const places = placesIn(answer, name);
        all.push(...places);
        if (places.length > 0) sizes.push(places.length);
        if (answer.body.next === undefined || places.length === 0) break;
        after = `&after=${answer.body.next}`;
      }
      expect(sizes).to.deep.equal([100, 100, 30]);
      expect(new Set(all).size).to.equal(COUNT);
    });
  }

  it("is one answer where they are as many as are answered anyway", async () => {
    expect((await backend.send("/views/notes?limit=100", { token })).body.views.length).to.equal(100);
    expect((await backend.send("/events?limit=70", { token })).body).to.have.property("next", 70);
  });
});

describe("A thousand short commits in one request", () => {
  it("come in one answer", async () => {
    const backend = await startBackend({ composition: notes });
    const token = await tokenOf({ roles: ["auditor"] });
    for (let index = 0; index < 250; index++) await backend.command("TakeNote", { aggregateId: "n", text: "short" }, {}, token);
    const history = (await backend.send("/aggregates/notes/n/events?limit=230", { token })).body;
    expect([history.commits.length, history.next]).to.deep.equal([230, 229]);
    const log = (await backend.send("/events?limit=1000", { token })).body;
    expect([log.commits.length, log.next]).to.deep.equal([250, 250]);
    await backend.close();
  });
});
