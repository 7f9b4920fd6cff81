import { CommandHandler, type IEventStore, type PollResult, StreamReader } from "../../core/index.ts";
import {
  Deadlines,
  type ICommandSender,
  Reaction,
  type ReactionSteps,
  type Refusal,
  ScheduledCommand,
} from "../../core/reactions.ts";
import { tellerOf, Wallet, type WalletEvents } from "../contract/wallet.ts";
import type { TurnedClock } from "../support/turned-clock.ts";

/** When the trader's deadlines are due, in ms after the payment. */
export const DELAY = 60_000;
/** The same, for a test that waits for it. */
const SOON = 200;

/** Books a fee on two other wallets for each payment of 1 or more, schedules what a note asks for, and keeps what was refused. */
class Trader extends Reaction<WalletEvents, readonly [typeof Wallet]> {
  readonly name = "Trader";
  readonly roles = ["teller"];
  readonly refusals: Refusal[] = [];
  readonly on: ReactionSteps<WalletEvents> = {
    Paid: ({ payload }, { id }) =>
      id.startsWith("w")
        ? [
            this.send("Deposit", { aggregateId: `fee-${id}`, amount: payload.amount }),
            this.send("Deposit", { aggregateId: "fees", amount: 1 }),
          ]
        : undefined,
    Noted: ({ payload }, { id, at }) => this.asked(payload.value as Wish, id, at),
  };

  private asked(wish: Wish, id: string, at: number) {
    if (wish === "schedule") return this.schedule(id, at + DELAY, "Deposit", { aggregateId: `due-${id}`, amount: 1 });
    if (wish === "schedule soon") return this.schedule(id, at + SOON, "Deposit", { aggregateId: `due-${id}`, amount: 1 });
    if (wish === "cancel") return this.cancel(id);
    if (wish === "anew")
      return [this.cancel(id), this.schedule(id, at + DELAY, "Deposit", { aggregateId: `due-${id}`, amount: 1 })];
    if (wish === "schedule no number")
      return this.schedule(id, at + DELAY, "Deposit", { aggregateId: `due-${id}`, amount: Number.NaN });
    if (wish === "withdraw later") return this.schedule(id, at + DELAY, "Withdraw", { aggregateId: `due-${id}`, amount: 5 });
    if (wish === "told") return undefined;
    // Refused, for there is nothing to take.
    return this.send("Withdraw", { aggregateId: `due-${id}`, amount: wish === "refused twice" ? 7 : 5 });
  }

  onRefused(refusal: Refusal) {
    this.refusals.push(refusal);
    const { aggregateId, amount } = refusal.data as { readonly aggregateId: string; readonly amount: number };
    if (amount === 7) return this.send("Withdraw", { aggregateId, amount: 8 });
    return this.send("Note", { aggregateId: "refused", value: "told" });
  }
}

type Wish =
  | "schedule"
  | "schedule soon"
  | "schedule no number"
  | "cancel"
  | "anew"
  | "withdraw later"
  | "refused"
  | "refused twice"
  | "told";

/** A tenant with a trader, whose reader can be made anew, as after a crash. */
export function tradeOn(
  { store, clock }: { readonly store: IEventStore; readonly clock: TurnedClock },
  tenant: string,
  throughSender: (handler: ICommandSender) => ICommandSender = (handler) => handler,
) {
  const handler = new CommandHandler(store, [Wallet, ScheduledCommand], { platform: clock });
  const actor = tellerOf(tenant);
  const start = () => {
    const reader = new StreamReader(store, { platform: clock });
    const trader = new Trader(throughSender(handler));
    const handlers = [trader, new Deadlines(reader, [trader], { platform: clock })];
    return { trader, reader, poll: (): Promise<PollResult> => reader.poll(tenant, "trade", handlers, { lease: 1_000 }) };
  };
  return {
    actor,
    handler,
    start,
    balance: async (id: string) => (await handler.load(actor, Wallet, id))?.balance ?? 0,
    notes: async (id: string) => (await handler.load(actor, Wallet, id))?.notes ?? 0,
    note: (id: string, value: Wish) => handler.command(actor, "Note", { aggregateId: id, value }),
  };
}
