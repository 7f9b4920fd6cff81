import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, type StoredEvent } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { type Answer, type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";

const CALC = "/aggregates/summing-calculators/calc";

describe("the ETag of an aggregate whose version came to stand for another state", () => {
  let store: MemoryEventStore;
  let backend: Backend;

  beforeEach(async () => {
    store = new MemoryEventStore();
    backend = await startBackend({ store });
  });
  afterEach(() => backend.close());

  const add = (number1: number, headers: Readonly<Record<string, string>> = {}, token?: string): Promise<Answer> =>
    backend.command("AddNumbers", { aggregateId: "calc", number1, number2: 0 }, headers, token);
  const tagOf = ({ headers }: Answer): string => headers.get("etag") ?? "";
  const read = (tag: string): Promise<Answer> => backend.send(CALC, { headers: { "if-none-match": tag } });

  /** What holds a tag from before learns of the other state, and acts upon it only with the new tag. */
  async function expectAnother(before: string, sum: number): Promise<void> {
    const now = await read(before);
    expect([now.status, now.body?.state.sum]).to.deep.equal([200, sum]);
    expect(tagOf(now)).not.to.equal(before);
    expect((await read(tagOf(now))).status).to.equal(304);
    const written = await backend.written();
    const refused = await add(1, { "if-match": before });
    expect([refused.status, refused.body.code]).to.deep.equal([412, "concurrency"]);
    const stranger = await tokenOf({ roles: ["nobody"] });
    expect((await add(1, { "if-match": before }, stranger)).status, "to whoever may not read it").to.equal(403);
    expect(await backend.written()).to.deep.equal(written);
    expect((await add(1, { "if-match": tagOf(now) })).status).to.equal(200);
  }

  it("is another one after an erasure and a new life", async () => {
    const before = tagOf(await add(1));
    await store.erase("acme");
    await store.import("acme", noRecords(store));
    expect((await add(5)).body.version).to.equal(0);
    await expectAnother(before, 5);
  });

  it("is another one after a redaction", async () => {
    await add(1);
    const before = tagOf(await add(2));
    const blank = ({ payload }: StoredEvent) => ({ ...payload, number1: 0 });
    await new CommandHandler(store, [SummingCalculator]).redact("acme", SummingCalculator, "calc", blank);
    await expectAnother(before, 0);
  });

  it("is the same where the same state is restored by an import", async () => {
    const before = tagOf(await add(1));
    const records = [];
    for await (const record of store.export("acme")) records.push(record);
    await store.erase("acme");
    await store.import("acme", all(records));
    expect((await read(before)).status).to.equal(304);
    expect((await add(1, { "if-match": before })).status).to.equal(200);
  });

  it("is the one that the command answered, whether the state comes from a snapshot or from the events", async () => {
    const before = tagOf(await add(1));
    const now = tagOf(await add(2));
    expect(tagOf(await read(""))).to.equal(now);
    expect(tagOf(await backend.send(`${CALC}?version=1`))).to.equal(now);
    expect(tagOf(await backend.send(`${CALC}?version=0`))).to.equal(before);
  });

  it("replays a resend, though another state came to its version meanwhile", async () => {
    const before = tagOf(await add(1));
    const first = await add(2, { "if-match": before, "idempotency-key": "k" });
    const again = await add(2, { "if-match": before, "idempotency-key": "k" });
    expect([first.status, again.status, tagOf(again)]).to.deep.equal([200, 200, tagOf(first)]);
  });
});

/** An export of a tenant in which nothing ever happened. */
async function* noRecords(store: MemoryEventStore) {
  await store.open("empty");
  yield* store.export("empty");
}

async function* all<T>(records: readonly T[]): AsyncIterable<T> {
  yield* records;
}
