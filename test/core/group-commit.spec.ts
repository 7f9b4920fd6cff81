import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EventOf,
  LIMITS,
  type PendingCommit,
  StoreError,
} from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { type Gate, gate } from "../support/gate.ts";
import { HandClock } from "../support/hand-clock.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollDuring } from "../support/poll-until-idle.ts";
import { rejects } from "../support/rejects.ts";

class Note extends Aggregate<{ Written: { text: string } }> {
  static readonly path = "/notes";
  static readonly access = "tenant";
  length = 0;
  get commands() {
    return {
      Write: (context: CommandContext<Note, { text: string }>) => context.push("Written"),
      WriteAfter: async (context: CommandContext<Note, { text: string; after: string }>) => {
        const { text, after } = context.payload;
        await context.load(Note, after);
        context.push("Written", { text });
      },
      WriteBoth: async (context: CommandContext<Note, { text: string; other: string }>) => {
        const { text, other } = context.payload;
        context.push("Written", { text });
        await context.append(Note, other, "Written", { text });
      },
    };
  }
  get events() {
    return {
      Written: ({ payload }: EventOf<Note, "Written">) => {
        this.length += payload.text.length;
      },
    };
  }
}

/** A store that holds each commit call until the test lets it through, and notes what came in it. */
async function scene(...tenants: string[]) {
  const inner = new MemoryEventStore();
  for (const tenant of tenants.length === 0 ? ["t"] : tenants) await inner.open(tenant);
  const calls: { readonly tenant: string; readonly group: readonly PendingCommit[]; readonly gate: Gate }[] = [];
  let failure: Error | undefined;
  const store = intercepted(inner, {
    commit: async (tenant, group) => {
      const call = { tenant, group, gate: gate() };
      calls.push(call);
      await call.gate.passed;
      if (failure !== undefined) throw failure;
      return inner.commit(tenant, group);
    },
  });
  const platform = new HandClock();
  const handler = new CommandHandler(store, [Note], { platform });
  const write = (aggregateId: string, text = "x", commandId?: string, tenant = "t") =>
    handler.command(actorOf(tenant), "Write", { text, aggregateId }, commandId === undefined ? {} : { commandId });
  return {
    inner,
    handler,
    platform,
    calls,
    write,
    /** Has one write in flight, so that the next ones gather. */
    keepBusy: async () => {
      const first = write("first");
      await setImmediate();
      return [first] as const;
    },
    ids: () => calls.map(({ group }) => group.map(({ writes }) => writes.map(({ id }) => id).join("+"))),
    fail: (error: Error | undefined) => {
      failure = error;
    },
    /** Lets all calls through, also those to come. */
    letThrough: async (commands: Promise<unknown>) => {
      let next = 0;
      await pollDuring(Promise.allSettled([commands]), async () => {
        for (; next < calls.length; next++) calls[next]?.gate.open();
      });
      return commands;
    },
  };
}

describe("Group commit", () => {
  it("sends a lone commit at once: no timer, and not one turn of the event loop", async () => {
    const { write, calls, platform } = await scene();
    const sent = write("a");
    for (let microtask = 0; microtask < 50; microtask++) await Promise.resolve();
    expect(calls).to.have.length(1);
    expect(platform.slept).to.deep.equal([]);
    calls[0]?.gate.open();
    expect((await sent).aggregate.aggregateVersion).to.equal(0);
  });

  it("gathers while a write is in flight, then sends all in one call", async () => {
    const { write, letThrough, ids, calls, keepBusy } = await scene();
    const first = await keepBusy();
    const commands = ["a", "b", "c", "d", "e"].map((id) => write(id));
    await setImmediate();
    expect(ids()).to.deep.equal([["first"]]);
    await letThrough(Promise.all([...first, ...commands]));
    expect(ids()).to.deep.equal([["first"], ["a", "b", "c", "d", "e"]]);
    expect(calls.flatMap(({ group }) => group.map(({ writes }) => writes[0]?.version))).to.deep.equal([0, 0, 0, 0, 0, 0]);
  });

  it("keeps a queue for each tenant: none waits for another's write", async () => {
    const { write, calls, letThrough } = await scene("one", "other");
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
    const { write, letThrough, calls, keepBusy } = await scene();
    const first = await keepBusy();
    const commands = Array.from({ length: 250 }, (_, number) => write(`note${number}`));
    await letThrough(Promise.all([...first, ...commands]));
    expect(calls.map(({ group }) => group.length)).to.deep.equal([1, 100, 100, 50]);
  });

  it("holds at most 4 MiB", async () => {
    const { write, letThrough, calls, keepBusy } = await scene();
    const text = "x".repeat(LIMITS.commitBytes - 200);
    const first = await keepBusy();
    const commands = Array.from({ length: 40 }, (_, number) => write(`note${number}`, text));
    await letThrough(Promise.all([...first, ...commands]));
    const sizes = calls.map(({ group }) => group.flatMap(({ writes }) => writes).reduce((sum, { bytes }) => sum + bytes, 0));
    for (const size of sizes) expect(size).to.be.at.most(4 * 1024 * 1024);
    expect(calls.map(({ group }) => group.length)).to.deep.equal([1, 16, 16, 8]);
  });

  it("keeps apart what verifies and what writes the same aggregate", async () => {
    const { handler, write, letThrough, ids, keepBusy } = await scene();
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
    const { handler, write, letThrough, calls } = await scene();
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
    const { handler, letThrough, calls, keepBusy } = await scene();
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
    const { inner, write, letThrough, handler } = await scene();
    const other = new CommandHandler(inner, [Note]);
    await letThrough(write("b"));
    await other.command(actorOf("t"), "Write", { text: "xx", aggregateId: "b" });
    const exact = handler.command(actorOf("t"), "Write", { text: "x", aggregateId: "b", expectedVersion: 0 });
    const outcomes = (await letThrough(Promise.allSettled([write("a"), exact, write("c")]))) as PromiseSettledResult<unknown>[];
    expect(outcomes.map(({ status }) => status)).to.deep.equal(["fulfilled", "rejected", "fulfilled"]);
  });

  it("tells every member what the store threw for the call as a whole, and goes on", async () => {
    const { write, calls, fail, letThrough, keepBusy } = await scene();
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
