import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type AggregateClasses, CommandHandler, StreamReader } from "../../core/index.ts";
import { Deadlines, Reaction, type ReactionSteps, ScheduledCommand } from "../../core/reactions.ts";
import { tellerOf, Wallet, type WalletEvents } from "../contract/wallet.ts";

class Saver extends Reaction<WalletEvents, readonly [typeof Wallet]> {
  readonly name = "Saver";
  readonly roles = ["teller"];
  readonly refused: string[] = [];
  readonly on: ReactionSteps<WalletEvents> = {
    Paid: (_event, { id }) => this.send("Note", { aggregateId: id, value: "paid" }),
    Noted: (_event, { id, at }) => this.schedule(id, at, "Deposit", { aggregateId: id, amount: 1 }),
  };
  onRefused({ command }: { readonly command: string }) {
    this.refused.push(command);
  }
}

/** One deposit into a wallet, heard by a saver whose command handler has these classes only. */
async function hear(...classes: AggregateClasses) {
  const store = new MemoryEventStore();
  const teller = tellerOf("acme");
  const wallets = new CommandHandler(store, [Wallet]);
  await wallets.command(teller, "Deposit", { aggregateId: "w", amount: 1 });
  const reader = new StreamReader(store);
  const poll = (saver: Saver) => reader.poll("acme", "savings", [saver, new Deadlines(reader, [saver])]);
  const saver = new Saver(new CommandHandler(store, classes));
  let result = await poll(saver);
  while (result.status === "progressed") result = await poll(saver);
  return { blocked: result.blocked, refused: saver.refused };
}

describe("A reaction whose command handler lacks a class", () => {
  it("stands at the event where that is ScheduledCommand, and says so, instead of losing the deadline", async () => {
    const { blocked, refused } = await hear(Wallet);
    expect(refused).to.deep.equal([]);
    expect(blocked.map(({ handler, error }) => [handler, error])).to.deep.equal([
      ["Saver", "Err: Saver schedules commands: give its CommandHandler the class ScheduledCommand too"],
    ]);
  });

  it("stands at the event where that is the class of its command, instead of losing the command", async () => {
    const { blocked, refused } = await hear(ScheduledCommand);
    expect(refused).to.deep.equal([]);
    expect(blocked.map(({ handler, error }) => [handler, error])).to.deep.equal([
      ["Saver", "Err: invalid argument command: no aggregate has a command named Note: check the name"],
    ]);
  });
});
