import { expect } from "chai";
import { Err, type StoredEvent } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { Actress, scene } from "../support/actress.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import { gate } from "../support/gate.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

const actor = actorOf("t");

describe("The context of a command", () => {
  it("shows the command all that it needs, before and after", async () => {
    const { act } = scene();
    let inside: unknown[] = [];
    const context = await act(
      (during) => {
        const { command, aggregateType, aggregateId, expectedVersion, payload, replayed } = during;
        inside = [during.actor, command, aggregateType, aggregateId, expectedVersion, payload, replayed];
        expect([during.aggregate.aggregateVersion, during.aggregate.aggregateId, during.events.length]).to.deep.equal([
          -1,
          "vivien",
          0,
        ]);
        during.push("Said");
        expect([during.aggregate.lines, during.aggregate.aggregateVersion, during.events.length]).to.deep.equal([
          ["to be"],
          -1,
          1,
        ]);
        during.push("Left", {});
      },
      { aggregateId: "vivien", expectedVersion: -1 },
    );
    expect(inside).to.deep.equal([actor, "Act", "actresses", "vivien", -1, { line: "to be" }, false]);
    expect(context.aggregate.lines).to.deep.equal(["to be", "(left)"]);
    expect(context.aggregate.aggregateVersion).to.equal(0);
    expect(context.events.map(({ name, schemaVersion }) => [name, schemaVersion])).to.deep.equal([
      ["Said", 0],
      ["Left", 0],
    ]);
    expect(context.commitId).to.match(/^[A-Za-z0-9_-]{21}$/);
    expect(await context.position()).to.equal(1);
    const warm = await act((during) => during.push("Said"), { aggregateId: "vivien" });
    expect(warm.cost).to.deep.equal({ reads: 0, writes: 1 });
  });

  it("is as JSON what it promises to be, without the other aggregates that the command read", async () => {
    const { act, handler } = scene();
    await handler.command(actor, "AddNumbers", { number1: 1_234_567, number2: 0, aggregateId: "c" });
    const context = await act(
      async (during) => {
        await during.load(SummingCalculator, "c");
        during.push("Said");
      },
      { aggregateId: "vivien" },
    );
    const text = JSON.stringify(context);
    expect(text).not.to.contain("1234567");
    expect(JSON.parse(text)).to.deep.equal({
      actor: JSON.parse(JSON.stringify(actor)),
      command: "Act",
      aggregateType: "actresses",
      aggregateId: "vivien",
      payload: { line: "to be" },
      aggregate: JSON.parse(JSON.stringify(context.aggregate)),
      events: [{ name: "Said", payload: { line: "to be" }, schemaVersion: 0 }],
      commitId: context.commitId,
      replayed: false,
      cost: context.cost,
    });
  });

  it("tells the real id where the caller gave none, already inside the command", async () => {
    const { act } = scene();
    let inside = "";
    const { aggregateId } = await act((during) => {
      inside = during.aggregateId;
      during.push("Said");
    });
    expect(inside)
      .to.match(/^[A-Za-z0-9_-]{21}$/)
      .and.to.equal(aggregateId);
  });

  it("freezes the payload, the events and their payloads; what the caller keeps is not theirs", async () => {
    const { handler } = scene();
    const nested = { words: ["to", "be"] };
    Actress.script = (during) => {
      expect(isDeepFrozen(during.payload)).to.equal(true);
      thrown(TypeError, () => Object.assign(during.payload, { line: "not to be" }));
      during.push("Said");
    };
    const context = await handler.command(actor, "Act", { line: "to be", nested } as { line: string });
    nested.words.push("or not");
    expect(context.payload).to.deep.equal({ line: "to be", nested: { words: ["to", "be"] } });
    expect(isDeepFrozen(context.events[0])).to.equal(true);
  });

  it("writes nothing where nothing is pushed, and has no position then", async () => {
    const { act, groups, handler } = scene();
    const context = await act(() => {}, { aggregateId: "vivien" });
    expect([context.aggregate.aggregateVersion, context.events, groups, await context.position()]).to.deep.equal([-1, [], [], 0]);
    expect(await handler.load(actor, Actress, "vivien")).to.equal(undefined);
  });

  it("leaves no trace of a command that throws, and throws what it threw", async () => {
    const { act, handler } = scene();
    await act((during) => during.push("Said"), { aggregateId: "vivien" });
    for (const failure of [new RangeError("forgot the line"), Err.precondition("curtain")]) {
      const failed = act(
        (during) => {
          during.push("Said");
          throw failure;
        },
        { aggregateId: "vivien" },
      );
      expect(await rejects(Error, failed)).to.equal(failure);
    }
    const { aggregate } = await act((during) => during.push("Left", {}), { aggregateId: "vivien" });
    expect(aggregate.lines).to.deep.equal(["to be", "(left)"]);
    expect((await handler.recalculate(actor, Actress, "vivien")).snapshot).to.equal("equal");
  });

  it("refuses what a command does after it was decided", async () => {
    const { act, store } = scene();
    const held = gate();
    let late: Promise<unknown> = Promise.resolve();
    const context = await act(
      (during) => {
        during.push("Said");
        late = held.passed.then(() => during.push("Left", {}));
      },
      { aggregateId: "vivien" },
    );
    held.open();
    for (const refused of [late, context.load(SummingCalculator, "c"), context.append(Actress, "v", "Left", {})]) {
      expect((await rejects(Err, refused)).message).to.equal(
        "Act has already returned: await every call on the context inside the command",
      );
    }
    expect(thrown(Err, () => context.push("Said")).code).to.equal("precondition");
    const { commits } = await store.load({ tenant: "t", type: "actresses", id: "vivien" }, { after: -1 });
    expect(commits.map(({ events }) => events.map(({ name }) => name))).to.deep.equal([["Said"]]);
  });

  it("gives what the store holds no way back to the events that it handed out", async () => {
    const { act, store } = scene();
    const { events } = await act((during) => during.push("Said"), { aggregateId: "vivien" });
    try {
      (events as StoredEvent[]).push({ name: "Left", payload: {}, schemaVersion: 0 });
    } catch (error) {
      expect(error).to.be.instanceOf(TypeError);
    }
    const { commits } = await store.load({ tenant: "t", type: "actresses", id: "vivien" }, { after: -1 });
    expect(commits[0]?.events).to.have.length(1);
  });
});
