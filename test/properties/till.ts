import { type Actor, Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";
import { Safe, SafeOfNow, SafeUnsnapped } from "./safe.ts";

/** What tills and safes tell. */
export type TillEvents = { Paid: { amount: number } | { cents: number } };

type To = { to: string; amount: number };

function centsOf(payload: { readonly amount?: number; readonly cents?: number }): number {
  return payload.cents ?? (payload.amount ?? 0) * 100;
}

/** A till as it was first: pays in whole units, snapshotted at every commit. Reads what newer code pays too. */
export class Till extends Aggregate<TillEvents> {
  static readonly path: string = "/tills";
  static readonly access = {
    Pay: "tenant",
    Take: "tenant",
    Carry: "tenant",
    Mirror: "tenant",
    Compare: "tenant",
    Stow: "tenant",
    Check: "tenant",
    Draw: (_actor: Actor, till: Till) => till.cents >= 300,
  } as const;
  /** The class of the safes beside these tills. */
  static readonly safes: typeof Safe = Safe;
  cents = 0;

  protected paid(amount: number): { amount: number } | { cents: number } {
    return { amount };
  }

  get commands() {
    const { tills, safes } = { tills: this.constructor as typeof Till, safes: (this.constructor as typeof Till).safes };
    return {
      Pay: (context: CommandContext<Till, { amount: number }>) => context.push("Paid", this.paid(context.payload.amount)),
      Take: (context: CommandContext<Till, { amount: number }>) => {
        this.#refuseAbove(context.payload.amount);
        context.push("Paid", this.paid(-context.payload.amount));
      },
      /** Pays on another till what is taken from this one. */
      Carry: async (context: CommandContext<Till, To>) => {
        const { to, amount } = context.payload;
        this.#refuseAbove(amount);
        context.push("Paid", this.paid(-amount));
        await context.append(tills, to, "Paid", this.paid(amount));
      },
      /** Pays on another till only, as long as there is as much in this one. */
      Mirror: async (context: CommandContext<Till, To>) => {
        const { to, amount } = context.payload;
        this.#refuseAbove(amount);
        await context.append(tills, to, "Paid", this.paid(amount));
      },
      /** Pays 1 if another till has less than this one, and is content with nothing else. */
      Compare: async (context: CommandContext<Till, { to: string; verify: boolean }>) => {
        const { to, verify } = context.payload;
        const other = await context.load(tills, to, { verify });
        if (other.cents < this.cents) context.push("Paid", this.paid(1));
      },
      /** Puts into a safe what is taken from this till. */
      Stow: async (context: CommandContext<Till, To>) => {
        const { to, amount } = context.payload;
        this.#refuseAbove(amount);
        context.push("Paid", this.paid(-amount));
        await context.append(safes, to, "Stowed", { cents: amount * 100 });
      },
      /** Pays 1 if a safe has as much as this till, and is content with nothing else. */
      Check: async (context: CommandContext<Till, { to: string; verify: boolean }>) => {
        const { to, verify } = context.payload;
        const safe = await context.load(safes, to, { verify });
        if (safe.cents >= this.cents) context.push("Paid", this.paid(1));
      },
      /** Takes 3; who may, the state says. */
      Draw: (context: CommandContext<Till>) => context.push("Paid", this.paid(-3)),
    };
  }

  get events() {
    return {
      Paid: ({ payload }: EventOf<Till, "Paid">) => {
        this.cents += centsOf(payload);
      },
    };
  }

  #refuseAbove(amount: number): void {
    if (amount * 100 > this.cents) throw Err.precondition(`there are only ${this.cents}`);
  }
}

/** As it is now: pays in cents, and has a state of another shape, snapshotted at every other commit. */
export class TillOfNow extends Till {
  static override readonly safes = SafeOfNow;
  static readonly snapshot = { every: 2, schema: 1 };
  static readonly upcasters = { Paid: [({ amount }: { amount: number }) => ({ cents: amount * 100 })] };
  payments: number[] = [];

  protected override paid(amount: number) {
    return { cents: amount * 100 };
  }

  override get events() {
    return {
      Paid: ({ payload }: EventOf<Till, "Paid">) => {
        // It throws for a payload that was not lifted.
        const { cents } = payload as { readonly cents: number };
        if (typeof cents !== "number") throw new Error("a payload of old was not lifted");
        this.cents += cents;
        this.payments.push(cents);
      },
    };
  }
}

/** Takes no snapshots. */
export class TillUnsnapped extends Till {
  static override readonly safes = SafeUnsnapped;
  static readonly snapshot = false;
}
