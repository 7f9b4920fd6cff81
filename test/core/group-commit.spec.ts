import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, LIMITS } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { Note, noteScene } from "../support/note-scene.ts";
import { rejects } from "../support/rejects.ts";

describe("Group commit", () => {
  it("sends a lone commit at once: no timer, and not one turn of the event loop", async () => {
    const { write, calls, platform } = await noteScene();
    const sent = write("a");
    for (let microtask = 0; microtask < 50; microtask++) await Promise.resolve();
    expect(calls).to.have.length(1);
    expect(platform.slept).to.deep.equal([]);
    calls[0]?.gate.open();
    expect((await sent).aggregate.aggregateVersion).to.equal(0);
  });

  it("gathers while a write is in flight, then sends all in one call", async () => {
    const { write, letThrough, ids, calls, keepBusy } = await noteScene();
    const first = await keepBusy();
    const commands = ["a", "b", "c", "d", "e"].map((id) => write(id));
    await setImmediate();
    expect(ids()).to.deep.equal([["first"]]);
    await letThrough(Promise.all([...first, ...commands]));
    expect(ids()).to.deep.equal([["first"], ["a", "b", "c", "d", "e"]]);
    expect(calls.flatMap(({ group }) => group.map(({ writes }) => writes[0]?.version))).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it("keeps a queue for each tenant: none waits for another's write", async () => {
    const { write, calls, letThrough } = await noteScene("one", "other");
    const commands = [write("a", "x", undefined, "one"), write("b", "x", undefined, "other")] as const;
    await setImmediate();
    expect(calls.map(({ tenant, group }) => [tenant, group.length])).to.deep.equal([
      ["one", 1],
      ["other", 1],
    ]);
    calls[1]?.gate.open();
    expect((await commands[1]).aggregate.aggregateVersion).to.equal(0);
    expect(calls).to.have.length(2);
    await letThrough(Promise.all(commands));
  });

  it("holds at most 100 commits", async () => {
    const { write, letThrough, calls, keepBusy } = await noteScene();
    const first = await keepBusy();
    const commands = Array.from({ length: 250 }, (_, number) => write(`note${number}`));
    await letThrough(Promise.all([...first, ...commands]));
    expect(calls.map(({ group }) => group.length)).to.deep.equal([1, 100, 100, 50]);
  });

  it("holds at most 4 MiB", async () => {
    const { write, letThrough, calls, keepBusy } = await noteScene();
    const text = "x".repeat(LIMITS.commitBytes - 200);
    const first = await keepBusy();
    const commands = Array.from({ length: 40 }, (_, number) => write(`note${number}`, text));
    await letThrough(Promise.all([...first, ...commands]));
    const sizes = calls.map(({ group }) => group.flatMap(({ writes }) => writes).reduce((sum, { bytes }) => sum + bytes, 0));
    for (const size of sizes) expect(size).to.be.at.most(4 * 1024 * 1024);
    expect(calls.map(({ group }) => group.length)).to.deep.equal([1, 16, 16, 8]);
  });

  it("opens a tenant that nobody has opened once for the whole group", async () => {
    const inner = new MemoryEventStore();
    let opened = 0;
    const store = intercepted(inner, {
      open: (tenant) => {
        opened++;
        return inner.open(tenant);
      },
    });
    const handler = new CommandHandler(store, [Note]);
    await Promise.all(["a", "b", "c"].map((aggregateId) => handler.command(actorOf("new"), "Write", { text: "x", aggregateId })));
    expect([opened, await inner.status("new")]).to.deep.equal([1, "open"]);
    const provisioned = new CommandHandler(store, [Note], { tenants: "provisioned" });
    const refused = provisioned.command(actorOf("unknown"), "Write", { text: "x", aggregateId: "a" });
    expect((await rejects(Error, refused)).message).to.equal("tenant unknown is absent: open it first");
    expect([opened, await inner.status("unknown")]).to.deep.equal([1, "absent"]);
  });

  it("awaits the store's gathering once a group", async () => {
    const inner = new MemoryEventStore();
    await inner.open("t");
    const gathered: number[] = [];
    const groups: number[] = [];
    const store = intercepted(inner, {
      gather: async () => {
        gathered.push(groups.length);
        await setImmediate();
      },
      commit: (tenant, group) => {
        groups.push(group.length);
        return inner.commit(tenant, group);
      },
    });
    const handler = new CommandHandler(store, [Note]);
    await Promise.all(
      ["a", "b", "c", "d"].map((aggregateId) => handler.command(actorOf("t"), "Write", { text: "x", aggregateId })),
    );
    expect([gathered, groups]).to.deep.equal([[0], [4]]);
  });
});
