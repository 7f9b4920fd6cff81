import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type ClientPlan, type Sent, sendCommands } from "./http-clients.ts";

/** A tenant and what it sends with. */
export type Tenant = Pick<ClientPlan, "url" | "tenant" | "token">;

/** One run of the same shape, with and without the noisy tenant in turns. */
export interface FairnessPlan {
  readonly quiet: readonly Tenant[];
  readonly noisy: Tenant;
  /** Commands a second of each quiet tenant; the noisy one sends a hundred times as many. */
  readonly rate: number;
  /** How long each turn takes, in s, and how many pairs of turns there are. */
  readonly seconds: number;
  readonly pairs: number;
}

/** What the quiet tenants' commands came to in both kinds of turns, and the noisy one's. */
export interface Fairness {
  readonly alone: readonly Sent[];
  readonly beside: readonly Sent[];
  readonly noisy: readonly Sent[];
}

const noisyProcess = fileURLToPath(new URL("http-noisy.ts", import.meta.url));
/** How many of its commands the noisy tenant has on their way at once, at most. */
const NOISY_IN_FLIGHT = 64;

/** Sends at even intervals, the quiet tenants one after the other, so that nobody's rhythm makes a burst of its own. */
export async function measureFairness(plan: FairnessPlan): Promise<Fairness> {
  const alone: Sent[] = [];
  const beside: Sent[] = [];
  const noisy: Sent[] = [];
  for (let pair = 0; pair < plan.pairs; pair++) {
    alone.push(...(await quietTurn(plan, `alone${pair}`)));
    const stop = await startNoisy(plan, `noisy${pair}`);
    beside.push(...(await quietTurn(plan, `beside${pair}`)));
    noisy.push(...(await stop()));
  }
  return { alone, beside, noisy };
}

async function quietTurn({ quiet, rate, seconds }: FairnessPlan, name: string): Promise<readonly Sent[]> {
  const signal = AbortSignal.timeout(seconds * 1_000);
  const sent: Sent[] = [];
  const step = 1_000 / rate / quiet.length;
  await Promise.all(
    quiet.map(async (tenant, index) => {
      await new Promise((resolve) => setTimeout(resolve, index * step));
      const client = { ...tenant, rate, inFlight: 4, name: `${name}-${tenant.tenant}` };
      await sendCommands(client, signal, (one) => sent.push(one));
    }),
  );
  return sent;
}

async function startNoisy({ noisy, rate }: FairnessPlan, name: string): Promise<() => Promise<readonly Sent[]>> {
  const child = fork(noisyProcess, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const answer = once(child, "message");
  await once(child, "spawn");
  child.send({ ...noisy, rate: rate * 100, inFlight: NOISY_IN_FLIGHT, name } satisfies ClientPlan);
  // Its connections and the code of both sides are warm before the turn begins.
  await new Promise((resolve) => setTimeout(resolve, 500));
  return async () => {
    child.send("stop");
    const [sent] = await answer;
    return sent;
  };
}
