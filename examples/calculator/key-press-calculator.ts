import * as z from "zod";
import { Aggregate, type CommandContext, Err, type EventOf } from "../../core/index.ts";

const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;
const OPERATORS = ["+", "-", "*", "/"] as const;

const digit = z.object({ digit: z.enum(DIGITS, "give one of 0 to 9 as a string") });
const operator = z.object({ operator: z.enum(OPERATORS, "give one of + - * /") });
const nothing = z.object({});

/** A digit key. */
export type Digit = (typeof DIGITS)[number];
/** An operator key. */
export type Operator = (typeof OPERATORS)[number];

/** The events of a key-press calculator: name -> payload. */
export type KeyEvents = {
  DigitPressed: { digit: Digit };
  DotPressed: Record<never, never>;
  OperatorPressed: { operator: Operator };
  EqualsPressed: Record<never, never>;
};

/** A pocket calculator: it chains from left to right, without precedence, and "=" pressed again repeats the last step. */
export class KeyPressCalculator extends Aggregate<KeyEvents> {
  static readonly path = "/key-press-calculators";
  static readonly access = "tenant";
  static readonly schemas = { PressDigit: digit, PressDot: nothing, PressOperator: operator, PressEquals: nothing };
  /** Clients watch the display. */
  static readonly readers = "tenant";

  /** What the display shows as the result so far. */
  result = 0;
  left = "";
  right = "";
  operator: Operator | "" = "";
  /** The last key was "=": a digit begins anew. */
  isDone = false;

  get commands() {
    return {
      PressDigit: (context: CommandContext<KeyPressCalculator, { digit: Digit }>) => {
        context.push("DigitPressed");
      },
      PressDot: (context: CommandContext<KeyPressCalculator>) => {
        context.push("DotPressed");
      },
      PressOperator: (context: CommandContext<KeyPressCalculator, { operator: Operator }>) => {
        if (this.isChaining) this.#refuseInfinity();
        context.push("OperatorPressed");
      },
      PressEquals: (context: CommandContext<KeyPressCalculator>) => {
        if (this.operator === "" || this.right === "")
          throw Err.precondition("there is nothing to compute: press a right side first");
        this.#refuseInfinity();
        context.push("EqualsPressed");
      },
    };
  }

  get events() {
    return {
      DigitPressed: ({ payload }: EventOf<KeyPressCalculator, "DigitPressed">) => this.#type(payload.digit),
      DotPressed: () => this.#type("."),
      OperatorPressed: ({ payload }: EventOf<KeyPressCalculator, "OperatorPressed">) => {
        if (this.isChaining) this.#compute();
        this.operator = payload.operator;
        this.right = "";
        this.isDone = false;
      },
      EqualsPressed: () => {
        this.#compute();
        this.isDone = true;
      },
    };
  }

  /** Whether an operator pressed now first computes what stands there. */
  get isChaining(): boolean {
    return !this.isDone && this.right !== "";
  }

  /** State is JSON, which knows no Infinity; and no display does. */
  #refuseInfinity(): void {
    if (!Number.isFinite(this.#computed())) throw Err.precondition("the result would not be a finite number: press other keys");
  }

  #type(key: Digit | "."): void {
    if (this.isDone) {
      this.left = "";
      this.right = "";
      this.operator = "";
      this.isDone = false;
    }
    const side = this.operator === "" ? "left" : "right";
    if (key === "." && this[side].includes(".")) return;
    this[side] += key;
    if (side === "left") this.result = numberOf(this.left);
  }

  #compute(): void {
    this.result = this.#computed();
    this.left = String(this.result);
  }

  #computed(): number {
    return calculate(numberOf(this.left), this.operator, numberOf(this.right));
  }
}

/** A dot alone, or nothing, counts as 0. */
function numberOf(typed: string): number {
  return typed === "." ? 0 : Number(typed);
}

function calculate(left: number, operator: Operator | "", right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "":
      return left;
  }
}
