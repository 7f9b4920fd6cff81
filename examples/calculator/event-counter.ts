import type { IEventHandler } from "../../core/index.ts";
import type { SummingEvents } from "./summing-calculator.ts";

/** Counts the events of summing calculators that it was given, over all tenants and threads; in memory, for as long as it lives. */
export class EventCounter implements IEventHandler<SummingEvents> {
  readonly name: string;
  count = 0;

  constructor(name = "EventCounter") {
    this.name = name;
  }

  get events() {
    const increment = () => {
      this.count++;
    };
    return { NumbersAdded: increment, NumbersSubtracted: increment };
  }
}
