import { Agent, request } from "node:http";

/** What one client is to do. */
export interface ClientPlan {
  readonly url: string;
  readonly tenant: string;
  readonly token: string;
  /** Commands a second, at even intervals; absent = the next as soon as the last is answered. */
  readonly rate?: number;
  /** How many commands may be on their way at once; a paced client that has as many waits. Default 1. */
  readonly inFlight?: number;
  /** Tells the keys of one client from those of another. */
  readonly name: string;
}

/** What became of one command. */
export interface Sent {
  readonly key: string;
  readonly status: number;
  /** From the call to the end of the answer, in ms. */
  readonly ms: number;
}

/** Sends commands to aggregates of its own, each with a key of its own, until the signal aborts; those on their way are waited for. */
export async function sendCommands(plan: ClientPlan, signal: AbortSignal, onSent: (sent: Sent) => void): Promise<void> {
  const { inFlight = 1, rate, name } = plan;
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
  const start = performance.now();
  let count = 0;
  const lane = async (number: number) => {
    while (!signal.aborted) {
      const index = count++;
      if (rate !== undefined) await until(start + (index * 1_000) / rate, signal);
      if (signal.aborted) return;
      onSent(await sendOne(agent, plan, `${name}-${index}`, `calc-${name}-${number}`));
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, number) => lane(number)));
  agent.destroy();
}

function until(time: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, time - performance.now()));
    signal.addEventListener("abort", wake);
  });
}

/** A connection that breaks counts as status 0. */
function sendOne(agent: Agent, { url, token }: ClientPlan, key: string, aggregateId: string): Promise<Sent> {
  const body = JSON.stringify({ aggregateId, number1: 1, number2: 2 });
  const start = performance.now();
  return new Promise((resolve) => {
    const done = (status: number) => resolve({ key, status, ms: performance.now() - start });
    const outgoing = request(`${url}/commands/AddNumbers`, {
      agent,
      method: "POST",
      headers: {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "idempotency-key": key,
      },
    });
    outgoing.on("error", () => done(0));
    outgoing.on("response", (incoming) => {
      incoming.on("error", () => done(0));
      incoming.on("end", () => done(incoming.statusCode ?? 0));
      incoming.resume();
    });
    outgoing.end(body);
  });
}

/** The value below which this share of the sorted values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
