import { expect } from "chai";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { encoded, HOSTILE_IDS } from "../support/functions-hostile-ids.ts";
import { rawGet, sendRaw } from "../support/functions-raw-http.ts";

/** Ids that no client can send as a segment of a path: they are dropped while the URL is made. */
const DROPPED = [".", ".."];

describe("Ids over HTTP", () => {
  let backend: Backend;
  before(async () => {
    backend = await startBackend();
  });
  after(() => backend.close());

  it("lists at least sixty hostile ids", () => {
    expect(HOSTILE_IDS.length).to.be.least(60);
  });

  for (const { id, isValid } of HOSTILE_IDS) {
    const name = JSON.stringify(id.length > 40 ? `${id.slice(0, 10)}… (${id.length})` : id);
    if (isValid) {
      it(`carries ${name} through body, path and query as it is`, async () => {
        const before = (await backend.written())[0]?.[1].length ?? 0;
        const sent = await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 2, expectedVersion: -1 });
        expect(sent.status, JSON.stringify(sent.body)).to.equal(200);
        expect(sent.body.aggregateId).to.equal(id);
        const written = (await backend.written())[0]![1];
        expect(written.length).to.equal(before + 1);
        expect(written.at(-1)!.id).to.equal(id);

        const path = encoded(id);
        const places = DROPPED.includes(id)
          ? [`/aggregates/summing-calculators?id=${path}`]
          : [`/aggregates/summing-calculators?id=${path}`, `/aggregates/summing-calculators/${path}`];
        if (id === "events") places.pop();
        for (const place of places) {
          const state = await backend.send(place);
          expect(state.body, place).to.deep.equal({ aggregateId: id, version: 0, state: { sum: 3 } });
        }
        const histories = [`/aggregates/summing-calculators/events?id=${path}`];
        if (!DROPPED.includes(id)) histories.push(`/aggregates/summing-calculators/${path}/events`);
        for (const place of histories) {
          const { status, body } = await backend.send(place);
          expect(status, place).to.equal(200);
          expect(body.commits.map((commit) => commit.id)).to.deep.equal([id]);
        }
        const views = [`/views/totals?id=${path}&position=${sent.body.position}`];
        if (!DROPPED.includes(id)) views.push(`/views/totals/${path}`);
        for (const place of views)
          expect((await backend.send(place)).body, place).to.deep.equal({ id, value: { sum: 3, steps: 1 } });
        const after = await backend.send(`/views/totals?limit=1&after=${path}`);
        expect(after.status).to.equal(200);
      });
    } else {
      it(`refuses ${name} in body, path and query, and writes nothing`, async () => {
        const before = await backend.written();
        const path = encoded(id);
        const answers = [
          await backend.command("AddNumbers", { aggregateId: id, number1: 1, number2: 2 }),
          await backend.send(`/aggregates/summing-calculators?id=${path}`),
          await backend.send(`/aggregates/summing-calculators/events?id=${path}`),
          await backend.send(`/views/totals?after=${path}`),
        ];
        if (id !== "") {
          answers.push(await backend.send(`/aggregates/summing-calculators/${path}`));
          answers.push(await backend.send(`/aggregates/summing-calculators/${path}/events`));
          answers.push(await backend.send(`/views/totals?id=${path}`));
          answers.push(await backend.send(`/views/totals/${path}`));
        }
        for (const { status, headers, body } of answers) {
          expect(status, JSON.stringify(body)).to.equal(400);
          expect(headers.get("content-type")).to.equal("application/problem+json");
          expect(body.code).to.be.oneOf(["invalid_argument", "missing_argument"]);
          expect(body.detail).to.match(/aggregateId|id|after/);
        }
        expect(await backend.written()).to.deep.equal(before);
      });
    }
  }

  it("does not take one id for another where a client shortens the path", async () => {
    await backend.command("AddNumbers", { aggregateId: "shortened", number1: 1, number2: 2 });
    const self = await backend.send("/aggregates/summing-calculators/./events");
    expect(self.status).to.equal(400);
    expect(self.body).to.include({ code: "missing_argument" });
    expect(self.body.detail).to.contain("query");
    const parent = await backend.send("/aggregates/summing-calculators/../events");
    expect(parent.status).to.equal(404);
    expect(parent.body).to.include({ code: "not_found" });
    for (const path of [
      "/aggregates/summing-calculators/.",
      "/aggregates/summing-calculators/..",
      "/views/totals/.",
      "/views/totals/..",
    ]) {
      const answer = await backend.send(path);
      expect(answer.status, path).to.be.oneOf([400, 404]);
      expect(answer.body.code).to.be.oneOf(["unknown_route", "missing_argument"]);
      expect(answer.body.detail).to.match(/\?id=|in the query/);
    }
  });

  it("refuses raw request targets that a URL would change into another id", async () => {
    await backend.command("AddNumbers", { aggregateId: "y", number1: 1, number2: 2 });
    const token = await tokenOf();
    const targets = [
      "/aggregates/summing-calculators/x/../y",
      "/aggregates/summing-calculators/./y",
      "/aggregates/summing-calculators/x/%2e%2E/y",
      "/aggregates/summing-calculators/%2E/y",
      "/aggregates/summing-calculators\\y",
      "/aggregates/summing-calculators/y#z",
      "/aggregates/summing-calculators/é",
      "http://localhost/aggregates/summing-calculators/x/../y",
    ];
    for (const target of targets) {
      const { status, head, body } = await sendRaw(backend.url, rawGet(target, token));
      expect(status, `${target} ${body}`).to.equal(400);
      expect(head.toLowerCase()).to.contain("application/problem+json");
      expect(JSON.parse(body).code).to.equal("malformed");
    }
    const control = await sendRaw(backend.url, rawGet("/aggregates/summing-calculators/a\tb", token));
    expect(control.status).to.equal(400);
    const plain = await sendRaw(backend.url, rawGet("/aggregates/summing-calculators/y", token));
    expect(plain.status).to.equal(200);
  });

  it("refuses percent-encoding that is none, instead of taking it literally", async () => {
    await backend.command("AddNumbers", { aggregateId: "%FF", number1: 1, number2: 2 });
    const token = await tokenOf();
    for (const id of ["%FF", "%", "%2", "%zz", "%C3", "%C0%AF", "a%80"]) {
      for (const target of [
        `/aggregates/summing-calculators/${id}`,
        `/aggregates/summing-calculators?id=${id}`,
        `/views/totals/${id}`,
      ]) {
        const { status, body } = await sendRaw(backend.url, rawGet(target, token));
        expect(status, target).to.equal(400);
        expect(JSON.parse(body)).to.include({ code: "invalid_argument" });
      }
    }
    expect((await backend.send("/aggregates/summing-calculators/%25FF")).status).to.equal(200);
  });

  it("refuses a body that is not UTF-8, instead of replacing what it cannot read", async () => {
    const before = await backend.written();
    const body = Buffer.concat([
      Buffer.from('{"aggregateId":"a'),
      Buffer.from([0xff]),
      Buffer.from('","number1":1,"number2":2}'),
    ]);
    const answer = await backend.send("/commands/AddNumbers", {
      method: "POST",
      body,
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).to.equal(400);
    expect(answer.body.code).to.equal("malformed");
    expect(await backend.written()).to.deep.equal(before);
  });

  it("refuses an id that is given twice in the query", async () => {
    const answer = await backend.send("/aggregates/summing-calculators?id=a&id=b");
    expect(answer.status).to.equal(400);
    expect(answer.body.code).to.equal("invalid_argument");
  });
});
