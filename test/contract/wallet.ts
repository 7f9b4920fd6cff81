import {
  type Actor,
  Aggregate,
  type CommandContext,
  CommandHandler,
  Err,
  Actor as EvenantActor,
  type EventOf,
  type JsonObject,
  Projection,
  type ProjectionEvents,
} from "../../core/index.ts";
import type { Ground } from "./clause.ts";

/** The events of a wallet. */
export type WalletEvents = {
  Paid: { amount: number };
  Noted: { value: unknown };
};

/** The type of wallets in the store. */
export const WALLET = "wallets";

/** A wallet that cannot be overdrawn: the aggregate of the clauses that go through the engine. */
export class Wallet extends Aggregate<WalletEvents> {
  static readonly path = `/${WALLET}`;
  static readonly access = {
    Deposit: ["teller"],
    Withdraw: ["teller"],
    Look: ["teller"],
    Note: ["teller"],
    NoteMany: ["teller"],
    Move: ["teller"],
    Compare: ["teller"],
    Spread: ["teller"],
    Fail: ["teller"],
    Drain: (actor: Actor, wallet: Wallet) => wallet.balance >= 100 && actor.roles.includes("teller"),
  } as const;

  balance = 0;
  notes = 0;

  get commands() {
    return {
      Deposit: (context: CommandContext<Wallet, { amount: number }>) => context.push("Paid"),
      Withdraw: (context: CommandContext<Wallet, { amount: number }>) => {
        const { amount } = context.payload;
        if (amount > this.balance) throw Err.precondition(`there are only ${this.balance}`);
        context.push("Paid", { amount: -amount });
      },
      /** Pays 1 where there is something, and is content with nothing where there is not. */
      Look: (context: CommandContext<Wallet>) => {
        if (this.balance > 0) context.push("Paid", { amount: -1 });
      },
      Drain: (context: CommandContext<Wallet>) => context.push("Paid", { amount: -this.balance }),
      Note: (context: CommandContext<Wallet, { value: unknown }>) =>
        context.push("Noted", { value: context.payload.value } as never),
      NoteMany: (context: CommandContext<Wallet, { count: number; size: number }>) => {
        for (let n = 0; n < context.payload.count; n++) context.push("Noted", { value: "x".repeat(context.payload.size) });
      },
      Move: async (context: CommandContext<Wallet, { to: string; amount: number }>) => {
        const { to, amount } = context.payload;
        if (amount > this.balance) throw Err.precondition(`there are only ${this.balance}`);
        context.push("Paid", { amount: -amount });
        await context.append(Wallet, to, "Paid", { amount });
      },
      /** Takes over the balance of another wallet. */
      Compare: async (context: CommandContext<Wallet, { with: string }>) => {
        const other = await context.load(Wallet, context.payload.with);
        context.push("Paid", { amount: other.balance - this.balance });
      },
      /** Writes and verifies so many others. */
      Spread: async (context: CommandContext<Wallet, { writes: number; reads: number; size: number }>) => {
        const { writes, reads, size } = context.payload;
        for (let n = 0; n < reads; n++) await context.load(Wallet, `read-${n}`);
        context.push("Noted", { value: "x".repeat(size) });
        for (let n = 1; n < writes; n++) await context.append(Wallet, `write-${n}`, "Noted", { value: "x".repeat(size) });
      },
      Fail: (context: CommandContext<Wallet>) => {
        context.push("Paid", { amount: 1_000 });
        throw Err.precondition("it was only tried");
      },
    };
  }

  get events() {
    return {
      Paid: ({ payload }: EventOf<Wallet, "Paid">) => {
        this.balance += payload.amount;
      },
      Noted: () => {
        this.notes += 1;
      },
    };
  }
}

/** Another type of aggregate, for clauses in which two types have the same id. */
class Purse extends Aggregate<{ Filled: { coins: number } }> {
  static readonly path = "/purses";
  static readonly access = { Fill: ["teller"] } as const;
  coins = 0;

  get commands() {
    return { Fill: (context: CommandContext<Purse, { coins: number }>) => context.push("Filled") };
  }

  get events() {
    return {
      Filled: ({ payload }: EventOf<Purse, "Filled">) => {
        this.coins += payload.coins;
      },
    };
  }
}

/** What the bookkeeper keeps of each wallet. */
export interface Booking {
  readonly balance: number;
  readonly payments: number;
}

/** Books every payment in the wallet's view: not idempotent on purpose, so that a payment that counts twice is seen. */
export class Bookkeeper extends Projection<Booking, WalletEvents> {
  override readonly name: string;
  readonly collection: string;

  constructor(collection = "bookings", name = "Bookkeeper") {
    super();
    this.collection = collection;
    this.name = name;
  }

  get events(): ProjectionEvents<Booking, WalletEvents> {
    return {
      Paid: {
        id: (_event, commit) => commit.id,
        next: (booking, { payload }) => ({
          balance: (booking?.balance ?? 0) + payload.amount,
          payments: (booking?.payments ?? 0) + 1,
        }),
      },
    };
  }
}

/** A projection whose view is what a note holds; a long text twice, so that a small event makes a large view. */
export class NotesOnView extends Projection<JsonObject, WalletEvents> {
  readonly collection = "notes";

  get events(): ProjectionEvents<JsonObject, WalletEvents> {
    return {
      Noted: { id: (_event, commit) => commit.id, next: (_view, { payload }) => viewOf(payload.value) },
    };
  }
}

function viewOf(value: unknown): JsonObject {
  return (typeof value === "string" && value.length > 1_000 ? { value, again: value } : { value }) as JsonObject;
}

/** A handler of wallets on the clause's store and clock, with a cache of its own. */
export function walletsOn({ store, clock }: Pick<Ground, "store" | "clock">) {
  return new CommandHandler(store, [Wallet, Purse], { platform: clock });
}

/** A teller of a tenant, who may send every command of a wallet. */
export function tellerOf(tenant: string, id = "ada", roles: readonly string[] = ["teller"]): EvenantActor {
  return new EvenantActor({ id, tenant, roles });
}
