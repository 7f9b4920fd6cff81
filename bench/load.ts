import type { Engine } from "./contender.ts";
import type { Measurement } from "./scenario.ts";

interface Load {
  aggregates: number;
  commandsEach: number;
  inFlight: number;
}

/** Sends the load, each of `inFlight` senders going through aggregates of its own, and measures the commands that succeeded. */
export async function throughput(engine: Engine, { aggregates, commandsEach, inFlight }: Load): Promise<Measurement> {
  const succeeded = new Int32Array(aggregates);
  const failures: unknown[] = [];
  const sender = async (first: number): Promise<void> => {
    for (let round = 0; round < commandsEach; round++) {
      for (let aggregate = first; aggregate < aggregates; aggregate += inFlight) {
        try {
          await engine.command(`calc${aggregate}`);
          succeeded[aggregate]! += 1;
        } catch (error) {
          failures.push(error);
        }
      }
    }
  };

  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, (_, first) => sender(first)));
  const seconds = (performance.now() - start) / 1000;

  for (let aggregate = 0; aggregate < aggregates; aggregate += Math.ceil(aggregates / 10)) {
    const sum = await engine.sum(`calc${aggregate}`);
    if (sum !== 3 * succeeded[aggregate]!)
      throw new Error(`calc${aggregate} acknowledged ${succeeded[aggregate]} commands, but its sum is ${sum}`);
  }
  const total = aggregates * commandsEach;
  const value = (total - failures.length) / seconds;
  if (failures.length === 0) return { value };
  return { value, note: `${percent(failures.length / total)} of the commands failed: ${messageOf(failures[0])}` };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 0)} %`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 80) : String(error);
}
