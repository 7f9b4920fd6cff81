import { Projection, type ProjectionEvents } from "../../core/index.ts";
import type { SummingEvents } from "./summing-calculator.ts";

/** What one summing calculator came to. */
export interface TotalView {
  readonly sum: number;
  /** How many additions and subtractions led there. */
  readonly steps: number;
}

/** Keeps the total of each summing calculator, by its id. */
export class Totals extends Projection<TotalView, SummingEvents> {
  readonly collection = "totals";
  override readonly readers = "tenant";

  get events(): ProjectionEvents<TotalView, SummingEvents> {
    return {
      NumbersAdded: {
        id: (_event, commit) => commit.id,
        next: (total, { payload }) => stepped(total, payload.number1 + payload.number2),
      },
      NumbersSubtracted: {
        id: (_event, commit) => commit.id,
        next: (total, { payload }) => stepped(total, -(payload.number1 + payload.number2)),
      },
    };
  }
}

function stepped(total: TotalView | undefined, change: number): TotalView {
  return { sum: (total?.sum ?? 0) + change, steps: (total?.steps ?? 0) + 1 };
}
