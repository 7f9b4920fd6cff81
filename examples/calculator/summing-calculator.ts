import * as z from "zod";
import { Aggregate, type CommandContext, type EventOf } from "../../core/index.ts";

const numbers = z.object({ number1: z.int("give an integer"), number2: z.int("give an integer") });

/** Two whole numbers. */
export type Numbers = z.infer<typeof numbers>;

/** The events of a summing calculator: name -> payload. */
export type SummingEvents = { NumbersAdded: Numbers; NumbersSubtracted: Numbers };

/** Keeps the sum of all the numbers that it was given. */
export class SummingCalculator extends Aggregate<SummingEvents> {
  static readonly path: string = "/summing-calculators";
  static readonly access = { AddNumbers: ["user"], SubtractNumbers: ["user"] } as const;
  /** Types end at the network: a command that came over HTTP may hold anything. */
  static readonly schemas = { AddNumbers: numbers, SubtractNumbers: numbers };

  sum = 0;

  get commands() {
    return {
      AddNumbers: (context: CommandContext<SummingCalculator, Numbers>) => {
        context.push("NumbersAdded");
      },
      SubtractNumbers: (context: CommandContext<SummingCalculator, Numbers>) => {
        context.push("NumbersSubtracted");
      },
    };
  }

  get events() {
    return {
      NumbersAdded: ({ payload }: EventOf<SummingCalculator, "NumbersAdded">) => {
        this.sum += payload.number1 + payload.number2;
      },
      NumbersSubtracted: ({ payload }: EventOf<SummingCalculator, "NumbersSubtracted">) => {
        this.sum -= payload.number1 + payload.number2;
      },
    };
  }
}
