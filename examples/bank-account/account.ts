import * as z from "zod";
import { type Actor, Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";
import { book } from "./rules.ts";

const ownership = z.object({ owner: z.string("give a name").min(1, "give a name") });
const transactions = z.object({
  amounts: z.array(z.int("give integers"), "give a list of integers").min(1, "give at least one"),
  text: z.string("give a text").optional(),
});
const transfer = z.object({
  to: z.string("give an account's id"),
  amount: z.int("give an integer").min(1, "give at least 1"),
});

/** The events of an account: name -> payload. */
export type AccountEvents = {
  AccountOpened: { owner: string };
  OwnerChanged: { owner: string };
  /** What the account received; negative = what it paid. */
  TransactionRecorded: { amount: number; text: string };
  /** For the world outside: somebody should be told. */
  AccountOverdrawn: { balance: number };
};

/** An account with an overdraft; amounts are whole units of one currency. */
export class Account extends Aggregate<AccountEvents> {
  static readonly path = "/accounts";
  static readonly access = {
    OpenAccount: ["user"],
    ChangeOwner: ["manager"],
    RecordTransactions: ["user"],
    TransferMoney: (actor: Actor, account: Account) => actor.roles.includes("manager") || account.owner === actor.id,
  } as const;
  static readonly schemas = {
    OpenAccount: ownership,
    ChangeOwner: ownership,
    RecordTransactions: transactions,
    TransferMoney: transfer,
  };

  owner = "";
  balance = 0;

  get isOpen(): boolean {
    return this.owner !== "";
  }

  get commands() {
    return {
      OpenAccount: (context: CommandContext<Account, z.infer<typeof ownership>>) => {
        if (this.isOpen) throw Err.precondition(`account ${context.aggregateId} is open already`);
        context.push("AccountOpened");
      },
      ChangeOwner: (context: CommandContext<Account, z.infer<typeof ownership>>) => {
        this.#mustBeOpen(context.aggregateId);
        context.push("OwnerChanged");
      },
      RecordTransactions: (context: CommandContext<Account, z.infer<typeof transactions>>) => {
        const { amounts, text = "" } = context.payload;
        this.#mustBeOpen(context.aggregateId);
        for (const amount of amounts) this.#record(context, amount, text);
      },
      TransferMoney: async (context: CommandContext<Account, z.infer<typeof transfer>>) => {
        const { to, amount } = context.payload;
        if (to === context.aggregateId) throw Err.invalidArgument("to", "give another account");
        this.#mustBeOpen(context.aggregateId);
        const receiver = await context.load(Account, to);
        receiver.#mustBeOpen(to);
        this.#record(context, -amount, `to ${to}`);
        await context.append(Account, to, "TransactionRecorded", { amount, text: `from ${context.aggregateId}` });
      },
    };
  }

  get events() {
    return {
      AccountOpened: ({ payload }: EventOf<Account, "AccountOpened">) => {
        this.owner = payload.owner;
      },
      OwnerChanged: ({ payload }: EventOf<Account, "OwnerChanged">) => {
        this.owner = payload.owner;
      },
      TransactionRecorded: ({ payload }: EventOf<Account, "TransactionRecorded">) => {
        this.balance += payload.amount;
      },
      // The balance tells it already: this event is news, not state.
      AccountOverdrawn: () => {},
    };
  }

  #record(context: Pick<CommandContext<Account>, "push">, amount: number, text: string): void {
    const { balance, isOverdrawn } = book(this.balance, amount);
    context.push("TransactionRecorded", { amount, text });
    if (isOverdrawn) context.push("AccountOverdrawn", { balance });
  }

  #mustBeOpen(id: string): void {
    if (!this.isOpen) throw Err.precondition(`account ${id} is not open`);
  }
}
