import type { NamedContender } from "./contender.ts";

/** One number of one contender, and what its reader must know. */
export interface Measurement {
  value: number;
  note?: string;
}

/** One thing that is measured, in a process of its own for each contender and run. */
export interface Scenario {
  name: string;
  title: string;
  unit: "commands/s" | "events/s" | "ms" | "times" | "of 32";
  /** Resolves to undefined where the contender has nothing to measure. */
  measure(contender: NamedContender, quick: boolean): Promise<Measurement | undefined>;
}
