import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, Err, type ITracer, StreamReader, type Trace } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";

const SECRET = "a very private owner";

/** Keeps every trace. */
class Keeping implements ITracer {
  readonly traces: Trace[] = [];
  trace(make: () => Trace): void {
    this.traces.push(make());
  }
  of(method: Trace["method"]): readonly Trace[] {
    return this.traces.filter((trace) => trace.method === method);
  }
}

describe("A tracer", () => {
  const actor = actorOf("t");

  async function work(tracer: ITracer) {
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Account], { tracer });
    const reader = new StreamReader(store, { tracer });
    await handler.command(actor, "OpenAccount", { owner: SECRET, aggregateId: "a" });
    await handler.command(actor, "RecordTransactions", { amounts: [987_654], text: SECRET, aggregateId: "a" });
    await rejects(Err, handler.command(actor, "OpenAccount", { owner: SECRET, aggregateId: "a" }));
    await handler.load(actor, Account, "a");
    await pollUntilIdle(reader, "t", "views", [new Accounts()]);
    const failing = { name: "failing", events: { AccountOpened: () => Promise.reject(new Error("no network")) } };
    const failingBatch = {
      ...failing,
      name: "failingBatch",
      batch: async () => ({ finished: 0, error: new Error("no network") }),
    };
    await reader.poll("t", "other", [failing, failingBatch]);
  }

  it("is told of commands, loads, commits, polls, handled events, cursors and errors", async () => {
    const tracer = new Keeping();
    await work(tracer);
    expect([...new Set(tracer.traces.map(({ method }) => method))].sort()).to.deep.equal([
      "command",
      "commit",
      "commitCursors",
      "error",
      "handle",
      "load",
      "poll",
    ]);
    const place = { tenant: "t", type: "accounts", id: "a" };
    const commands = ["OpenAccount", "RecordTransactions", "OpenAccount"].map((command) => ({
      method: "command",
      ...place,
      command,
    }));
    for (const [index, command] of commands.entries()) expect(tracer.of("command")[index]).to.include(command);
    expect(tracer.of("command")).to.have.length(3);
    expect(tracer.of("load").map(({ version }) => version)).to.deep.equal([-1, 1]);
    for (const load of tracer.of("load")) expect(load).to.include(place);
    for (const commit of tracer.of("commit")) expect(commit).to.deep.equal({ method: "commit", tenant: "t", commits: 1 });
    expect(tracer.of("handle")[0]).to.include({
      tenant: "t",
      thread: "views",
      handler: "Accounts",
      event: "AccountOpened",
      position: 1,
    });
    expect(tracer.of("handle").map(({ handler, outcome }) => [handler, outcome])).to.deep.equal([
      ["Accounts", undefined],
      ["Accounts", undefined],
      ["failing", "failed"],
      ["failingBatch", "failed"],
    ]);
    expect(tracer.of("poll")[0]).to.include({ tenant: "t", thread: "views", status: "progressed", handled: 2 });
    expect(tracer.of("commitCursors")[0]).to.include({ tenant: "t", thread: "views", status: "committed" });
    expect(tracer.of("error")[0]).to.include({ tenant: "t", thread: "other", handler: "failing", event: "AccountOpened" });
  });

  it("never gets a payload or a state", async () => {
    const tracer = new Keeping();
    await work(tracer);
    const text = JSON.stringify(tracer.traces);
    expect(text).to.not.contain(SECRET);
    expect(text).to.not.contain("987654");
  });

  it("that does not want a trace does not pay for it: the function is not called", async () => {
    let offered = 0;
    let made = 0;
    await work({
      trace: (make) => {
        offered++;
        if (offered < 0) made += Object.keys(make()).length;
      },
    });
    expect([offered > 10, made]).to.deep.equal([true, 0]);
  });
});
