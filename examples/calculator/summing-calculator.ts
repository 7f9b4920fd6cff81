import { Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";

/** Two whole numbers. */
export interface Numbers {
  readonly number1: number;
  readonly number2: number;
}

/** The events of a summing calculator: name -> payload. */
export type SummingEvents = { NumbersAdded: Numbers; NumbersSubtracted: Numbers };

/** Keeps the sum of all the numbers that it was given. */
export class SummingCalculator extends Aggregate<SummingEvents> {
  static readonly path: string = "/summing-calculators";
  static readonly access = { AddNumbers: ["user"], SubtractNumbers: ["user"] } as const;

  sum = 0;

  get commands() {
    return {
      AddNumbers: (context: CommandContext<SummingCalculator, Numbers>) => {
        checkNumbers(context.payload);
        context.push("NumbersAdded");
      },
      SubtractNumbers: (context: CommandContext<SummingCalculator, Numbers>) => {
        checkNumbers(context.payload);
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

/** Types end at the network: a command that came over HTTP may hold anything. */
function checkNumbers(payload: Numbers): void {
  if (!Number.isSafeInteger(payload.number1)) throw Err.invalidArgument("number1", "give an integer");
  if (!Number.isSafeInteger(payload.number2)) throw Err.invalidArgument("number2", "give an integer");
}
