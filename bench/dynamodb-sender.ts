// One process of the DynamoDB benchmark: makes aggregates, waits for the word, sends commands for a while, then some more whose cost is counted.
import { once } from "node:events";
import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { engines } from "./dynamodb-engines.ts";

/** What a process is told to do. */
export interface Job {
  readonly engine: string;
  readonly endpoint: string;
  readonly table: string;
  /** What its aggregates' ids begin with. */
  readonly prefix: string;
  readonly inFlight: number;
  /** How many commands an aggregate gets before the next one has its turn. */
  readonly commandsEach: number;
  readonly ms: number;
}

/** What a process tells. */
export interface Told {
  readonly rate: number;
  /** Processor time of this process for a command, in ms. */
  readonly cpu: number;
  readonly requests: number;
  readonly units: number;
}

/** More commands a second than any engine carries out here, so that there are aggregates enough. */
const MOST_A_SECOND = 1_500;
const METERED_MS = 400;

const { engine: name, endpoint, table, prefix, inFlight, commandsEach, ms }: Job = JSON.parse(process.argv[2] ?? "");
const client = new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "bench", secretAccessKey: "bench" } });
const engine = engines[name];
if (engine === undefined) throw new Error(`no engine is named ${name}`);
const send = await engine.sender(client, table);
const aggregatesEach = Math.ceil((MOST_A_SECOND * (ms + METERED_MS)) / 1_000 / commandsEach / inFlight);
const sent = Array.from({ length: inFlight }, () => 0);
const total = { requests: 0, units: 0 };

// Sixteen at a time, so that all of them are warm soon.
await Promise.all(Array.from({ length: 16 }, (_, nth) => warm(nth)));
process.send?.("ready");
await once(process, "message");
const [began, cpuBefore] = [performance.now(), process.cpuUsage()];
const commands = await driveAll(ms);
const { user, system } = process.cpuUsage(cpuBefore);
const [rate, cpu] = [commands / ((performance.now() - began) / 1_000), (user + system) / 1_000 / commands];
meter();
const metered = await driveAll(METERED_MS);
const told: Told = { rate, cpu, requests: total.requests / metered, units: total.units / metered };
process.send?.(told, () => process.exit());

async function warm(nth: number): Promise<void> {
  for (let n = nth; n < aggregatesEach * inFlight; n += 16) await send(`${prefix}-${n}`);
}

/** Drives the lanes side by side for a while; they share no aggregate. */
async function driveAll(during: number): Promise<number> {
  const end = performance.now() + during;
  const counts = await Promise.all(sent.map((_, lane) => drive(lane, end)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function drive(lane: number, end: number): Promise<number> {
  let count = 0;
  for (; performance.now() < end; count++) {
    const turn = sent[lane]!++;
    await send(`${prefix}-${lane * aggregatesEach + (Math.floor(turn / (commandsEach - 1)) % aggregatesEach)}`);
  }
  return count;
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
