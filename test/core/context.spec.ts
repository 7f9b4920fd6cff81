import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type CommandOptions,
  ConcurrencyError,
  type EmptyPayload,
  Err,
  type EventOf,
  type StoredEvent,
  ValidationError,
} from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { isDeepFrozen } from "../support/deep-freeze.ts";
import { gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

/** Does what each test tells it to do. */
let script: (context: CommandContext<Actress, { line: string }>) => Promise<void> | void = () => {};

class Actress extends Aggregate<{ Said: { line: string }; Left: EmptyPayload }> {
  static readonly path = "/actresses";
  static readonly access = "tenant";
  lines: string[] = [];
  get commands() {
    return { Act: (context: CommandContext<Actress, { line: string }>) => script(context) };
  }
  get events() {
    return {
      Said: ({ payload }: EventOf<Actress, "Said">) => {
        this.lines.push(payload.line);
      },
      Left: () => {
        this.lines.push("(left)");
      },
    };
  }
}

const actor = actorOf("t");

describe("The context of a command", () => {
  function scene() {
    const { store, loads, groups } = countedStore();
    const handler = new CommandHandler(store, [Actress, SummingCalculator]);
    const act = (does: typeof script, id: { aggregateId?: string; expectedVersion?: number } = {}, options?: CommandOptions) => {
      script = does;
      return handler.command(actor, "Act", { line: "to be", ...id }, options);
    };
    return { store, handler, loads, groups, act };
  }

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
    script = (during) => {
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
      expect((await rejects(Err, refused)).message).to.equal("Act is decided already: await everything inside the command");
    }
    expect(thrown(Err, () => context.push("Said")).code).to.equal("precondition");
    const { commits } = await store.load({ tenant: "t", type: "actresses", id: "vivien" }, { after: -1 });
    expect(commits.map(({ events }) => events.map(({ name }) => name))).to.deep.equal([["Said"]]);
  });

  it("refuses to tell the position before the commit", async () => {
    const { act } = scene();
    const asked = act(async (during) => void (await during.position()), { aggregateId: "vivien" });
    expect((await rejects(Err, asked)).message).to.equal("the position is known after the command only: await the command first");
  });

  it("takes nothing from the options but the ids: neither actor, nor tenant, nor aggregate", async () => {
    const { act, store } = scene();
    const mallory = actorOf("other", "mallory");
    const foreign = {
      correlationId: "c-1",
      causationId: "c-0",
      actor: mallory,
      address: { tenant: "other", type: "actresses", id: "other" },
      place: { address: { tenant: "other", type: "actresses", id: "other" }, key: "other" },
      command: { name: "Other" },
      payload: { line: "other" },
      isNew: true,
      expectedVersion: 7,
      hash: "other",
    };
    const context = await act((during) => during.push("Said"), { aggregateId: "vivien" }, foreign);
    expect([context.actor, context.aggregateId, context.command]).to.deep.equal([actor, "vivien", "Act"]);
    const { commits } = await store.load({ tenant: "t", type: "actresses", id: "vivien" }, { after: -1 });
    expect(commits).to.have.length(1);
    expect(commits[0]).to.include({ correlationId: "c-1", causationId: "c-0", command: "Act" });
    expect(commits[0]?.actor).to.deep.equal({ id: actor.id, name: actor.name });
    expect(await store.status("other")).to.equal("absent");
  });

  it("names wrong ids among the options", async () => {
    const { act } = scene();
    for (const name of ["commandId", "correlationId", "causationId"]) {
      for (const wrong of ["", 7, "a\0", "x".repeat(257)]) {
        const error = await rejects(
          Err,
          act(() => {}, {}, { [name]: wrong } as CommandOptions),
        );
        expect([error.code, error.message]).to.deep.equal([
          "invalid_argument",
          `invalid argument ${name}: use 1 to 256 bytes of UTF-8 in normal form NFC, without control characters`,
        ]);
      }
    }
  });

  it("names a wrong version", async () => {
    const { act, groups } = scene();
    for (const expectedVersion of [-2, 1.5, "0", null, Number.NaN, 2 ** 53]) {
      const sent = act((during) => during.push("Said"), { aggregateId: "v", expectedVersion: expectedVersion as number });
      const error = await rejects(Err, sent);
      expect([error.code, error.message]).to.deep.equal([
        "invalid_argument",
        `invalid argument expectedVersion: give an integer from -1 to ${Number.MAX_SAFE_INTEGER}`,
      ]);
    }
    expect(groups).to.deep.equal([]);
  });

  it("refuses payloads that would not come back identical, wherever they come from", async () => {
    const { handler, act, groups } = scene();
    for (const [value, reason] of [
      [Number.NaN, "is NaN: give a finite number"],
      [10n, "is a bigint: give a JSON value"],
      [new Date(0), "is a Date: give a plain object"],
      [() => {}, "is a function: give a JSON value"],
      ["\ud800", "has a lone surrogate: give well-formed Unicode"],
    ] as const) {
      script = () => {};
      const sent = handler.command(actor, "Act", { line: value as string });
      const outside = await rejects(ValidationError, sent);
      expect([outside.path, outside.message]).to.deep.equal(["payload.line", `payload.line: ${reason}`]);
      const inside = await rejects(
        ValidationError,
        act((during) => during.push("Said", { line: value as string })),
      );
      expect([inside.path, inside.message]).to.deep.equal(["Said.line", `Said.line: ${reason}`]);
    }
    expect(groups).to.deep.equal([]);
  });

  it("loads the same instance twice, and counts it as verified once", async () => {
    const { act, handler, groups } = scene();
    await handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId: "c" });
    await act(async (during) => {
      const [one, other] = await Promise.all([during.load(SummingCalculator, "c"), during.load(SummingCalculator, "c")]);
      expect(one).to.equal(other);
      expect(await during.load(Actress, during.aggregateId)).to.equal(during.aggregate);
      during.push("Said");
    });
    expect(groups.at(-1)?.[0]?.verified).to.deep.equal([{ type: "summing-calculators", id: "c", version: 0 }]);
  });

  it("decides again where what it verified changes meanwhile, and not where it opted out", async () => {
    const inner = new MemoryEventStore();
    const other = new CommandHandler(inner, [SummingCalculator]);
    const add = () => other.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId: "c" });
    await add();
    for (const [verify, decided] of [
      [true, 2],
      [false, 1],
    ] as const) {
      let decisions = 0;
      script = async (during) => {
        decisions++;
        const { sum } = await during.load(SummingCalculator, "c", { verify });
        if (decisions === 1) await add();
        during.push("Said", { line: String(sum) });
      };
      const handler = new CommandHandler(inner, [Actress, SummingCalculator]);
      const { aggregate } = await handler.command(actor, "Act", { line: "" });
      expect(decisions).to.equal(decided);
      // It saw the change only where it asked for it.
      const last = (await other.load(actor, SummingCalculator, "c"))?.sum;
      expect(aggregate.lines).to.deep.equal([String(verify ? last : (last ?? 0) - 1)]);
    }
  });

  it("reads from the store where it opted out of verifying, however warm the other is", async () => {
    const { act, handler, loads } = scene();
    await handler.command(actor, "AddNumbers", { number1: 1, number2: 2, aggregateId: "c" });
    loads.length = 0;
    await act(async (during) => void (await during.load(SummingCalculator, "c")));
    await act(async (during) => void (await during.load(SummingCalculator, "c", { verify: false })));
    // The first was a warm state that decided an empty result, so it was checked; the second is a read by itself.
    expect(loads).to.deep.equal(["c", "c"]);
  });

  it("writes another aggregate only, and verifies its own, which it decided upon", async () => {
    const { act, groups } = scene();
    const context = await act((during) => during.append(Actress, "olivia", "Said", { line: "ay" }).then(() => {}), {
      aggregateId: "v",
    });
    expect([context.aggregate.aggregateVersion, context.events]).to.deep.equal([-1, []]);
    const [pending] = groups.at(-1) ?? [];
    expect(pending?.writes.map(({ id, version }) => [id, version])).to.deep.equal([["olivia", 0]]);
    expect(pending?.verified).to.deep.equal([{ type: "actresses", id: "v", version: -1 }]);
  });

  it("tells which of several aggregates was in the way", async () => {
    const inner = new MemoryEventStore();
    const handler = new CommandHandler(inner, [Actress, SummingCalculator], { deadline: 1 });
    const other = new CommandHandler(inner, [SummingCalculator]);
    script = async (during) => {
      await during.load(SummingCalculator, "c");
      await other.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId: "c" });
      during.push("Said");
    };
    const error = await rejects(ConcurrencyError, handler.command(actor, "Act", { line: "" }));
    expect([error.address.type, error.address.id]).to.deep.equal(["summing-calculators", "c"]);
    expect(error.actual).to.be.above(error.expected);
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

  it("tells the position by which everything that the command wrote can be waited for", async () => {
    const inner = new MemoryEventStore();
    const silent = intercepted(inner, {
      commit: async (tenant, pending) => (await inner.commit(tenant, pending)).map(() => ({ status: "committed" as const })),
    });
    for (const store of [inner, silent]) {
      const handler = new CommandHandler(store, [Actress]);
      const act = (does: typeof script) => {
        script = does;
        return handler.command(actor, "Act", { line: "ay" });
      };
      const both = await act(async (during) => {
        during.push("Said");
        await during.append(Actress, "olivia", "Left", {});
      });
      const { commits } = await inner.read("t", 0, 100);
      expect(commits.slice(-2).map(({ id }) => id)).to.deep.equal([both.aggregateId, "olivia"]);
      expect(await both.position()).to.equal(commits.at(-1)?.position);
      const other = await act(async (during) => {
        await during.append(Actress, "olivia", "Left", {});
      });
      expect(await other.position()).to.equal((await inner.read("t", 0, 100)).commits.at(-1)?.position);
      expect(other.aggregate.aggregateVersion).to.equal(-1);
    }
  });

  it("asks the store for the position where the store did not tell it", async () => {
    const inner = new MemoryEventStore();
    const silent = intercepted(inner, {
      commit: async (tenant, pending) => {
        const outcomes = await inner.commit(tenant, pending);
        return outcomes.map((outcome) => (outcome.status === "committed" ? { status: "committed" as const } : outcome));
      },
    });
    const handler = new CommandHandler(silent, [Actress]);
    script = (during) => during.push("Said");
    await handler.command(actor, "Act", { line: "" });
    expect(await (await handler.command(actor, "Act", { line: "" })).position()).to.equal(2);
  });
});
