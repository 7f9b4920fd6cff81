import { expect } from "chai";
import { CommandHandler, StoreError } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { Note, noteScene } from "../support/note-scene.ts";
import { rejects } from "../support/rejects.ts";

describe("The members of a group", () => {
  it("keeps apart what verifies and what writes the same aggregate", async () => {
    const { handler, write, letThrough, ids, keepBusy } = await noteScene();
    const writeAfter = (aggregateId: string, other: string) =>
      handler.command(actorOf("t"), "WriteAfter", { text: "x", after: other, aggregateId });
    const first = await keepBusy();
    const commands = [write("a"), writeAfter("b", "a"), writeAfter("c", "z"), writeAfter("d", "z"), write("z")];
    await letThrough(Promise.all([...first, ...commands]));
    const groups = ids();
    const groupOf = (id: string) => groups.findIndex((group) => group.includes(id));
    expect(groupOf("a")).to.not.equal(groupOf("b"));
    expect(groupOf("z")).to.not.equal(groupOf("c"));
    // Two that only verify the same may go together.
    expect(groupOf("c")).to.equal(groupOf("d"));
  });

  it("keeps apart what writes the same aggregate, as one's own or as another's", async () => {
    const { handler, write, letThrough, calls } = await noteScene();
    const both = (aggregateId: string, other: string) =>
      handler.command(actorOf("t"), "WriteBoth", { text: "x", other, aggregateId });
    await letThrough(Promise.all([write("first"), both("a", "shared"), both("b", "shared"), write("shared")]));
    for (const { group } of calls) {
      const written = group.flatMap(({ writes }) => writes.map(({ id }) => id));
      expect(new Set(written).size).to.equal(written.length);
    }
    const shared = await handler.load(actorOf("t"), Note, "shared");
    expect([shared?.length, shared?.aggregateVersion]).to.deep.equal([3, 2]);
  });

  it("keeps apart what has the same commandId: the second is the first one's replay", async () => {
    const { handler, letThrough, calls, keepBusy } = await noteScene();
    const first = await keepBusy();
    const send = () => handler.command(actorOf("t"), "Write", { text: "x" }, { commandId: "c1" });
    const sent = Promise.all([send(), send()]);
    await letThrough(Promise.all([...first, sent]));
    const [one, other] = await sent;
    expect([one.replayed, other.replayed].sort()).to.deep.equal([false, true]);
    expect(one.aggregateId).to.equal(other.aggregateId);
    for (const { group } of calls) {
      const receipts = group.flatMap(({ receipt }) => (receipt ? [receipt.commandId] : []));
      expect(receipts.length).to.be.at.most(1);
    }
  });

  it("lets one conflict fail nobody else in the group", async () => {
    const { inner, write, letThrough, handler } = await noteScene();
    const other = new CommandHandler(inner, [Note]);
    await letThrough(write("b"));
    await other.command(actorOf("t"), "Write", { text: "xx", aggregateId: "b" });
    const exact = handler.command(actorOf("t"), "Write", { text: "x", aggregateId: "b", expectedVersion: 0 });
    const outcomes = (await letThrough(Promise.allSettled([write("a"), exact, write("c")]))) as PromiseSettledResult<unknown>[];
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
  });

  it("tells every member what the store threw for the call as a whole, and goes on", async () => {
    const { write, calls, fail, letThrough, keepBusy } = await noteScene();
    const first = await keepBusy();
    const commands = ["a", "b", "c"].map((id) => rejects(StoreError, write(id)));
    const failure = new StoreError("no disk", { retryable: true });
    fail(failure);
    const failed = rejects(StoreError, first[0]);
    expect(await letThrough(Promise.all([failed, ...commands]))).to.deep.equal([failure, failure, failure, failure]);
    expect(calls.map(({ group }) => group.length)).to.deep.equal([1, 3]);
    fail(undefined);
    await letThrough(write("a"));
  });
});
