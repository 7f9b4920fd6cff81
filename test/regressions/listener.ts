import { CommandHandler, type PositionedCommit, StreamReader } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "../support/actors.ts";
import type { Stage } from "../support/stores.ts";

/** A handler that notes which commits it was given, in their order. */
export function listener(name: string, act: (commit: PositionedCommit) => Promise<void> | void = () => {}) {
  const seen: string[] = [];
  const events = {
    NumbersAdded: async (_tenant: string, _event: unknown, commit: PositionedCommit) => {
      await act(commit);
      seen.push(`${commit.id}/${commit.version}`);
    },
  };
  return { name, seen, events };
}

/** Calculators on a stage, and who writes and reads them. */
export function calculatorsOn(stage: Stage) {
  const handlerOf = (platform = stage.clock) => new CommandHandler(stage.store, [SummingCalculator], { platform });
  const readerOf = () => new StreamReader(stage.store, { platform: stage.clock, retries: 3, firstDelay: 1_000 });
  const add = (handler: ReturnType<typeof handlerOf>, tenant: string, aggregateId: string) =>
    handler.command(actorOf(tenant), "AddNumbers", { number1: 1, number2: 0, aggregateId });
  return { handlerOf, readerOf, add };
}
