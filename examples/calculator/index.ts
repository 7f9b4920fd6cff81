export { EventCounter } from "./event-counter.ts";
export { type Digit, KeyPressCalculator, type Operator } from "./key-press-calculator.ts";
export { type Numbers, SummingCalculator, type SummingEvents } from "./summing-calculator.ts";
export { Totals, type TotalView } from "./totals.ts";
