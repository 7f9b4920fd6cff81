import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { Aggregate, type CommandContext, CommandHandler, type EventOf } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { type Gate, gate } from "../support/gate.ts";
import { rejects } from "../support/rejects.ts";

/** What runs in which order, and what each command waits for. */
let journal: string[] = [];
let gates: Record<string, Gate> = {};

class Job extends Aggregate<{ Done: { name: string } }> {
  static readonly path = "/jobs";
  static readonly access = "tenant";
  done: string[] = [];
  get commands() {
    return {
      Do: async (context: CommandContext<Job, { name: string }>) => {
        const { name } = context.payload;
        journal.push(`${name} begins`);
        await gates[name]?.passed;
        journal.push(`${name} ends`);
        if (name.startsWith("bad")) throw new RangeError(name);
        context.push("Done");
      },
    };
  }
  get events() {
    return {
      Done: ({ payload }: EventOf<Job, "Done">) => {
        this.done.push(payload.name);
      },
    };
  }
}

describe("Lanes", () => {
  function scene(...held: string[]) {
    journal = [];
    gates = Object.fromEntries(held.map((name) => [name, gate()]));
    const { store, groups } = countedStore();
    const handler = new CommandHandler(store, [Job], { cacheSize: 2 });
    const send = (name: string, aggregateId: string, tenant = "t") =>
      handler.command(actorOf(tenant), "Do", { name, aggregateId });
    return { handler, groups, send };
  }

  it("run the commands on one aggregate one after another, in the order of their calls", async () => {
    const { send } = scene("one");
    const sent = [send("one", "a"), send("two", "a"), send("three", "a")];
    await setImmediate();
    expect(journal).to.deep.equal(["one begins"]);
    gates.one?.open();
    const contexts = await Promise.all(sent);
    expect(journal).to.deep.equal(["one begins", "one ends", "two begins", "two ends", "three begins", "three ends"]);
    expect(contexts.map(({ aggregate }) => aggregate.done)).to.deep.equal([["one"], ["one", "two"], ["one", "two", "three"]]);
  });

  it("let nobody wait who has another aggregate, another tenant, or a new one", async () => {
    const { handler, send } = scene("slow");
    const slow = send("slow", "a");
    await send("other", "b");
    await send("twin", "a", "other");
    await handler.command(actorOf("t"), "Do", { name: "new" });
    expect(journal.at(0)).to.equal("slow begins");
    expect(journal).to.not.include("slow ends");
    gates.slow?.open();
    await slow;
  });

  it("are kept however many other aggregates come meanwhile", async () => {
    const { send } = scene("slow");
    const slow = send("slow", "a");
    for (let other = 0; other < 10; other++) await send(`other${other}`, `b${other}`);
    const next = send("next", "a");
    for (let other = 10; other < 20; other++) await send(`other${other}`, `b${other}`);
    expect(journal).to.not.include("next begins");
    gates.slow?.open();
    await Promise.all([slow, next]);
    expect(journal.slice(-3)).to.deep.equal(["slow ends", "next begins", "next ends"]);
  });

  it("go on after a command that failed", async () => {
    const { send } = scene("bad");
    const [bad, good] = [rejects(RangeError, send("bad", "a")), send("good", "a")];
    gates.bad?.open();
    expect((await bad).message).to.equal("bad");
    expect((await good).aggregate.done).to.deep.equal(["good"]);
    expect((await send("later", "a")).aggregate.done).to.deep.equal(["good", "later"]);
  });

  it("keep a process from conflicting with itself: 32 at once are 32 commits, and no try is lost", async () => {
    const { send, groups } = scene();
    await send("first", "a");
    groups.length = 0;
    await Promise.all(Array.from({ length: 32 }, (_, number) => send(`job${number}`, "a")));
    expect(groups.flat()).to.have.length(32);
    expect(journal.filter((line) => line.endsWith("begins"))).to.have.length(33);
  });
});
