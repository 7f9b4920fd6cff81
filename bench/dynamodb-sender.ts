// One process of the DynamoDB benchmark: warms up, waits for the word, sends commands for a while, then some more whose cost is counted.
import { once } from "node:events";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { engines } from "./dynamodb-engines.ts";

/** What a process tells. */
export interface Told {
  readonly commandsPerSecond: number;
  readonly requests: number;
  readonly units: number;
}

/** Aggregates of a process: few enough to be warm, enough that castore, which reads all their events, has few to read. */
const AGGREGATES = 160;
const METERED_MS = 500;

const [, , name = "", endpoint = "", table = "", prefix = "", inFlight = "1", duration = "1000"] = process.argv;
const lanes = Number(inFlight);
const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
const engine = engines[name];
if (engine === undefined) throw new Error(`no engine is named ${name}`);
const send = await engine.sender(client, table);
const total = { requests: 0, units: 0 };

await Promise.all(Array.from({ length: 16 }, (_, lane) => drive(lane, 16, AGGREGATES / 16)));
process.send?.("ready");
await once(process, "message");
const began = performance.now();
const commands = await driveAll(Number(duration));
const commandsPerSecond = (commands / (performance.now() - began)) * 1_000;
meter();
const metered = await driveAll(METERED_MS);
const told: Told = { commandsPerSecond, requests: total.requests / metered, units: total.units / metered };
process.send?.(told, () => process.exit());

/** Drives the lanes side by side for a while; they share no aggregate. */
async function driveAll(ms: number): Promise<number> {
  const end = performance.now() + ms;
  const counts = await Promise.all(Array.from({ length: lanes }, (_, lane) => drive(lane, lanes, Infinity, end)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function drive(lane: number, of: number, most: number, end = Infinity): Promise<number> {
  const each = AGGREGATES / of;
  let sent = 0;
  for (; sent < most && performance.now() < end; sent++) await send(`${prefix}-${lane * each + (sent % each)}`);
  return sent;
}

/** Counts requests, each attempt of the client's for one, and capacity units. Not while the clock runs. */
function meter(): void {
  client.middlewareStack.add(
    (next) => (request) => next({ ...request, input: { ...request.input, ReturnConsumedCapacity: "TOTAL" } as never }),
    { step: "initialize" },
  );
  client.middlewareStack.add(
    (next) => async (request) => {
      total.requests++;
      const answer = await next(request);
      const { ConsumedCapacity: capacity } = answer.output as { ConsumedCapacity?: Capacity | Capacity[] };
      for (const part of [capacity ?? {}].flat()) total.units += part.CapacityUnits ?? 0;
      return answer;
    },
    { step: "finalizeRequest", priority: "low" },
  );
}

interface Capacity {
  readonly CapacityUnits?: number;
}
