import type { Scenario } from "../scenario.ts";
import { longAggregates } from "./long-aggregate.ts";
import { oneAggregate } from "./one-aggregate.ts";
import { rebuild } from "./rebuild.ts";
import { replay } from "./replay.ts";
import { throughputScenarios } from "./throughput.ts";

/** Everything that is measured, in the order of the report. */
export const scenarios: readonly Scenario[] = [...throughputScenarios, replay, rebuild, ...longAggregates, ...oneAggregate];
