import { Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";

/** What happens to a safe. */
export type SafeEvents = { Stowed: { cents: number } };

/** A safe, into which its own commands put something, and those of tills. */
export class Safe extends Aggregate<SafeEvents> {
  static readonly path: string = "/safes";
  static readonly access = "tenant";
  cents = 0;

  get commands() {
    return {
      Hoard: (context: CommandContext<Safe, { amount: number }>) =>
        context.push("Stowed", { cents: context.payload.amount * 100 }),
      /** Takes something out, unless another safe has more. */
      Empty: async (context: CommandContext<Safe, { to: string; amount: number; verify: boolean }>) => {
        const { to, amount, verify } = context.payload;
        const other = await context.load(this.constructor as typeof Safe, to, { verify });
        if (other.cents > this.cents) throw Err.precondition(`another one has ${other.cents}`);
        context.push("Stowed", { cents: -amount * 100 });
      },
    };
  }

  get events() {
    return {
      Stowed: ({ payload }: EventOf<Safe, "Stowed">) => {
        this.cents += payload.cents;
      },
    };
  }
}

/** Has a state of another shape, snapshotted at every third commit. */
export class SafeOfNow extends Safe {
  static readonly snapshot = { every: 3, schema: 7 };
  times = 0;

  override get events() {
    return {
      Stowed: ({ payload }: EventOf<Safe, "Stowed">) => {
        this.cents += payload.cents;
        this.times++;
      },
    };
  }
}

/** Takes no snapshots. */
export class SafeUnsnapped extends Safe {
  static readonly snapshot = false;
}
