import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { Aggregate, type CommandContext, CommandHandler, type EmptyPayload, Err, type EventOf } from "../../core/index.ts";
import { tellerOf, Wallet } from "../contract/wallet.ts";
import { actorOf } from "../support/actors.ts";
import { gate } from "../support/gate.ts";
import { HandClock } from "../support/hand-clock.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

/** Clients read its snapshots, so its state is bounded. */
class List extends Aggregate<{ Added: { text: string }; Cleared: EmptyPayload }> {
  static readonly path = "/lists";
  static readonly access = "tenant";
  static readonly readers = "tenant";
  texts: string[] = [];
  get commands() {
    return {
      Add: (context: CommandContext<List, { text: string }>) => context.push("Added"),
      Clear: (context: CommandContext<List>) => context.push("Cleared", {}),
    };
  }
  get events() {
    return {
      Added: ({ payload }: EventOf<List, "Added">) => void this.texts.push(payload.text),
      Cleared: () => {
        this.texts = [];
      },
    };
  }
}

describe("A refusal that was decided on a stale state", () => {
  it("is none where the state would be too large: another process has made room", async () => {
    const store = new MemoryEventStore();
    const actor = actorOf("t");
    const [handler, other] = [new CommandHandler(store, [List]), new CommandHandler(store, [List])];
    const add = () => handler.command(actor, "Add", { text: "x".repeat(200_000), aggregateId: "l" });
    await add();
    await other.command(actor, "Clear", { aggregateId: "l" });
    expect((await add()).aggregate.texts.length).to.equal(1);
    expect((await rejects(Err, add())).message).to.contain("keep a view within 262144");
  });

  it("is none after the store was asked, however late a load brings the stale state back", async () => {
    const inner = new MemoryEventStore();
    const teller = tellerOf("t");
    const to = { aggregateId: "w" };
    const other = new CommandHandler(inner, [Wallet]);
    const pay = (amount: number) => other.command(teller, "Deposit", { amount, ...to });
    const reply = gate();
    let isSlow = true;
    let isContested = false;
    const store = intercepted(inner, {
      load: async (...parameters) => {
        const loaded = await inner.load(...parameters);
        const waits = isSlow;
        isSlow = false;
        if (waits) await reply.passed;
        return loaded;
      },
      commit: async (...parameters) => {
        if (isContested) await pay(1);
        isContested = false;
        return inner.commit(...parameters);
      },
    });
    const platform = new HandClock();
    const handler = new CommandHandler(store, [Wallet], { platform });
    await pay(1);
    const slow = handler.load(teller, Wallet, "w");
    await handler.load(teller, Wallet, "w");
    await pay(100);
    // The first attempt is refused on the warm state, the second conflicts; meanwhile the slow load keeps what the first one had.
    platform.sleep = async () => {
      reply.open();
      await slow;
    };
    isContested = true;
    expect((await handler.command(teller, "Withdraw", { amount: 50, ...to })).aggregate.balance).to.equal(52);
  });
});
