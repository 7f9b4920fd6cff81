import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, ConcurrencyError } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { Actress, scene } from "../support/actress.ts";
import { rejects } from "../support/rejects.ts";

const actor = actorOf("t");

describe("The other aggregates of a command", () => {
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
      Actress.script = async (during) => {
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
    Actress.script = async (during) => {
      await during.load(SummingCalculator, "c");
      await other.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId: "c" });
      during.push("Said");
    };
    const error = await rejects(ConcurrencyError, handler.command(actor, "Act", { line: "" }));
    expect([error.address.type, error.address.id]).to.deep.equal(["summing-calculators", "c"]);
    expect(error.actual).to.be.above(error.expected);
  });
});
