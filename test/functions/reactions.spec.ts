import { once } from "node:events";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { defaultPlatform, Err } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";
import { app } from "../../functions/app.ts";
import { compose, examples, readAlong } from "../../functions/composition.ts";
import { listAll } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { thrown } from "../support/thrown.ts";

const DAYS_30 = 30 * 24 * 60 * 60 * 1_000;

describe("A reaction of the composition", () => {
  const store = new MemoryEventStore();
  const service = compose(store, examples);
  const stop = new AbortController();

  after(() => store.close());

  it("reads along, and schedules", async () => {
    const reading = readAlong(service, stop.signal);
    const actor = actorOf("acme");
    const data = { aggregateId: "loan-1", borrower: "Bob", amount: 1_000 };
    for (const step of ["CreateLoan", "ApproveLoan"]) await service.handler.command(actor, step, data);
    const disbursed = await service.handler.command(actor, "DisburseLoan", data);
    const [commit] = await service.handler.history(actor, service.types.get("loans") as never, "loan-1", { after: 1 });
    const position = await disbursed.position();
    expect(await service.reader.waitFor("acme", "payments", position, { handler: "PaymentWatch" })).to.equal(true);
    // The deadline is a commit of its own, and comes right after.
    expect(await service.reader.waitFor("acme", "payments", position + 1)).to.equal(true);
    const waiting = await listAll(store, "acme", "evenant-deadlines");
    expect(waiting.map(({ value }) => [value.id, value.command, Number(value.at) - Number(commit?.at)])).to.deep.equal([
      ["PaymentWatch/loan-1", "DeclareArrears", DAYS_30],
    ]);
    const stopped = once(stop.signal, "abort");
    stop.abort();
    await Promise.all([stopped, reading]);
  });

  it("is nothing that a client could send: its commands are unknown to it, whatever roles it has", async () => {
    const actor = actorOf("acme", "mallory", ["evenant-reactor", "manager"]);
    const served = app({ service, authenticate: async () => actor });
    const answer = await served.request("/commands/CancelDeadline", {
      method: "POST",
      body: JSON.stringify({ aggregateId: "PaymentWatch/loan-1" }),
      headers: { "content-type": "application/json" },
    });
    expect(answer.status).to.equal(404);
    expect(await listAll(store, "acme", "evenant-deadlines")).to.have.length(1);
  });

  it("keeps its commandIds to itself, so that nobody takes one before it and stops it for good", async () => {
    const served = app({ service, authenticate: async () => actorOf("acme") });
    // What a member can work out: the id of the command that the deadline above will send.
    const digest = await defaultPlatform.digest(JSON.stringify(["deadline", "PaymentWatch/loan-1", 0, 0]));
    const answer = await served.request("/commands/AddNumbers", {
      method: "POST",
      body: JSON.stringify({ aggregateId: "calc1", number1: 1, number2: 2 }),
      headers: { "content-type": "application/json", "idempotency-key": `reaction/${digest}` },
    });
    expect(answer.status).to.equal(400);
    expect(await answer.json()).to.deep.include({ code: "invalid_argument" });
  });

  it("has a thread of its own, which hides none of the composition's", () => {
    const threads = { payments: [new Totals()] };
    const error = thrown(Err, () => compose(new MemoryEventStore(), { ...examples, threads }));
    expect(error.code).to.equal("invalid_argument");
    expect(error.message).to.contain("payments");
  });
});
