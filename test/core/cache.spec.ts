import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, type CommandHandlerOptions, type IEventStore } from "../../core/index.ts";
import { Account } from "../../examples/bank-account/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import { countedStore } from "../support/counted-store.ts";
import { gate } from "../support/gate.ts";
import { HandClock } from "../support/hand-clock.ts";
import { intercepted } from "../support/intercepted-store.ts";

const MINUTE = 60_000;

type Adder = CommandHandler<readonly [typeof SummingCalculator]>;

/** A store of which one load, begun by `begin`, gets its reply only when `reply` is open. */
function slowLoading(inner: IEventStore) {
  const [asked, reply] = [gate(), gate()];
  let isSlow = false;
  const store = intercepted(inner, {
    load: async (...parameters) => {
      const loaded = await inner.load(...parameters);
      if (isSlow) {
        asked.open();
        await reply.passed;
      }
      return loaded;
    },
  });
  /** Comes back when the store has been asked. */
  const begin = async <T>(load: () => Promise<T>): Promise<{ readonly loading: Promise<T> }> => {
    isSlow = true;
    const loading = load();
    await asked.passed;
    isSlow = false;
    return { loading };
  };
  return { store, reply, begin };
}

describe("The warm cache", () => {
  function scene(options: CommandHandlerOptions = {}) {
    const platform = new HandClock();
    const counted = countedStore();
    const handler = new CommandHandler(counted.store, [SummingCalculator, Account], { platform, ...options });
    const add = (aggregateId: string, tenant = "t") =>
      handler.command(actorOf(tenant), "AddNumbers", { number1: 1, number2: 0, aggregateId });
    return { ...counted, platform, handler, add };
  }

  it("spares every read but the first", async () => {
    const { add, loads } = scene();
    for (let count = 0; count < 5; count++) await add("a");
    expect(loads).to.deep.equal(["a"]);
  });

  it("spares even the first where the id is generated", async () => {
    const { handler, loads } = scene();
    const { aggregateId, cost } = await handler.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0 });
    await handler.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0, aggregateId });
    expect([loads, cost.reads]).to.deep.equal([[], 0]);
  });

  it("keeps a state for 10 minutes, and no longer", async () => {
    const { add, loads, platform, reset } = scene();
    await add("a");
    reset();
    platform.time += 10 * MINUTE;
    await add("a");
    expect(loads).to.deep.equal([]);
    // That command confirmed the state: it is 10 minutes young again.
    platform.time += 10 * MINUTE;
    await add("a");
    expect(loads).to.deep.equal([]);
    platform.time += 10 * MINUTE + 1;
    expect((await add("a")).aggregate.sum).to.equal(4);
    expect(loads).to.deep.equal(["a"]);
  });

  it("drops the least recently used above its size", async () => {
    const { add, loads, reset } = scene({ cacheSize: 2 });
    await add("a");
    await add("b");
    await add("a");
    await add("c");
    reset();
    await add("a");
    await add("c");
    expect(loads).to.deep.equal([]);
    expect((await add("b")).aggregate.sum).to.equal(2);
    expect(loads).to.deep.equal(["b"]);
    await add("c");
    expect(loads).to.deep.equal(["b"]);
    await add("a");
    expect(loads).to.deep.equal(["b", "a"]);
  });

  it("is keyed by tenant, type and id", async () => {
    const { add, handler, loads } = scene();
    await add("a", "one");
    await add("a", "other");
    await handler.command(actorOf("one"), "OpenAccount", { owner: "ada", aggregateId: "a" });
    expect(loads).to.deep.equal(["a", "a", "a"]);
    expect((await add("a", "one")).aggregate.sum).to.equal(2);
    expect((await add("a", "other")).aggregate.sum).to.equal(2);
  });

  it("hands out copies: what a caller does to one changes no other", async () => {
    const { add, handler } = scene();
    const context = await add("a");
    context.aggregate.sum = 1_000;
    expect((await add("a")).aggregate.sum).to.equal(2);
    const loaded = await handler.load(actorOf("t"), SummingCalculator, "a");
    if (loaded !== undefined) loaded.sum = 1_000;
    expect((await add("a")).aggregate.sum).to.equal(3);
    expect(context.aggregate.aggregateVersion).to.equal(0);
  });

  it("is not used by `load`, which always asks the store", async () => {
    const { add, handler, loads, reset } = scene();
    await add("a");
    reset();
    await handler.load(actorOf("t"), SummingCalculator, "a");
    await handler.load(actorOf("t"), SummingCalculator, "a");
    expect(loads).to.deep.equal(["a", "a"]);
  });

  it("keeps the newer of two states, however late the older one was read", async () => {
    const slow = slowLoading(new MemoryEventStore());
    const { store, groups, loads } = countedStore(slow.store);
    const handler = new CommandHandler(store, [SummingCalculator]);
    const add = () => handler.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0, aggregateId: "a" });
    await add();
    const { loading } = await slow.begin(() => handler.load(actorOf("t"), SummingCalculator, "a"));
    await add();
    slow.reply.open();
    expect((await loading)?.sum).to.equal(1);
    groups.length = 0;
    loads.length = 0;
    expect((await add()).aggregate.sum).to.equal(3);
    // Acting on the older state it would have conflicted and read again.
    expect([groups.length, loads]).to.deep.equal([1, []]);
  });

  it("is left by a redaction", async () => {
    const { add, handler, loads, reset } = scene();
    await add("a");
    expect(await handler.redact("t", SummingCalculator, "a", () => ({ number1: 40, number2: 0 }))).to.equal(1);
    reset();
    expect((await add("a")).aggregate.sum).to.equal(41);
    expect(loads).to.deep.equal(["a"]);
  });

  it("is left by a redaction also where somebody loads while it is under way", async () => {
    const inner = new MemoryEventStore();
    const store = intercepted(inner, {
      redact: async (...parameters) => {
        await handler.load(actorOf("t"), SummingCalculator, "a");
        return inner.redact(...parameters);
      },
    });
    const handler = new CommandHandler(store, [SummingCalculator]);
    const add = () => handler.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0, aggregateId: "a" });
    await add();
    await handler.redact("t", SummingCalculator, "a", () => ({ number1: 40, number2: 0 }));
    expect((await add()).aggregate.sum).to.equal(41);
    expect((await handler.recalculate(actorOf("t"), SummingCalculator, "a")).snapshot).to.equal("equal");
  });

  it("is left by a redaction also where somebody loads over its end", async () => {
    const { store, reply, begin } = slowLoading(new MemoryEventStore());
    const handler = new CommandHandler(store, [SummingCalculator]);
    const add = () => handler.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0, aggregateId: "a" });
    await add();
    const { loading } = await begin(() => handler.load(actorOf("t"), SummingCalculator, "a"));
    await handler.redact("t", SummingCalculator, "a", () => ({ number1: 40, number2: 0 }));
    reply.open();
    await loading;
    expect((await add()).aggregate.sum).to.equal(41);
    expect((await handler.recalculate(actorOf("t"), SummingCalculator, "a")).snapshot).to.equal("equal");
  });

  it("of another process is left by a redaction", async () => {
    const store = new MemoryEventStore();
    const [handler, other] = [0, 1].map(() => new CommandHandler(store, [SummingCalculator])) as [Adder, Adder];
    const add = () => other.command(actorOf("t"), "AddNumbers", { number1: 1, number2: 0, aggregateId: "a" });
    await add();
    await handler.redact("t", SummingCalculator, "a", () => ({ number1: 40, number2: 0 }));
    expect((await add()).aggregate.sum).to.equal(41);
    expect((await handler.recalculate(actorOf("t"), SummingCalculator, "a")).snapshot).to.equal("equal");
  });
});
