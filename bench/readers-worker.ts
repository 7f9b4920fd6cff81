// One measurement in a process of its own: node readers-worker.ts <store> <events>; the answer goes to the parent as a message.
import { CommandHandler, type CursorUpdate, type IEventStore, StreamReader } from "../core/index.ts";
import { intercepted } from "../test/support/intercepted-store.ts";
import { Purse, payer, Sums, seedPayments } from "./readers-domain.ts";
import { type ReaderStore, readerStores } from "./readers-stores.ts";

/** What one store gave. */
export interface ReaderFacts {
  readonly events: number;
  /** Events a second. */
  readonly replayed: number;
  readonly rebuilt: number;
  /** Views written a second. */
  readonly views: number;
  /** What the database did for each 1,000 events: of the replay, and of the rebuild. */
  readonly replaying: number;
  readonly rebuilding: number;
  /** The most memory that the process had, in MB. */
  readonly memory: number;
  /** From acknowledged to visible, in ms: the median, and what one of a hundred exceeds. */
  readonly lag: number;
  readonly lagOfFew: number;
}

/** How many commands the lag is measured with. */
const COMMANDS = 300;
const { tenant } = payer;

const [, , name = "", count = "0"] = process.argv;
let facts: ReaderFacts | undefined;
await readerStores[name]?.(async (store) => {
  facts = await measure(store, Number(count));
});
process.send?.(facts, () => process.exit());

async function measure({ store, operationsOf }: ReaderStore, events: number): Promise<ReaderFacts> {
  await seedPayments(store, events);
  let views = 0;
  const watched = intercepted(store, {
    commitCursors: (lease, update) => {
      views += update.views?.length ?? 0;
      return store.commitCursors(lease, update);
    },
  });
  const reader = new StreamReader(watched);
  const counter = { name: "counter", replayable: true, events: { Paid: async () => {} } };
  globalThis.gc?.();
  let replayTime = 0;
  let came: number | undefined;
  const replaying = await operationsOf(async () => {
    const start = performance.now();
    const replay = await reader.replay(tenant, "replay", [counter], { limit: 1_000 });
    replayTime = (performance.now() - start) / 1_000;
    came = replay.events.counter?.Paid;
  });
  if (came !== events) throw new Error(`${came} of ${events} events came`);

  const sums = new Sums();
  for (let more = true; more; ) ({ more } = await reader.poll(tenant, "main", [sums], { limit: 1_000 }));
  globalThis.gc?.();
  views = 0;
  let rebuildTime = 0;
  const rebuilding = await operationsOf(async () => {
    const start = performance.now();
    await reader.rebuild(tenant, "main", sums, { limit: 1_000 });
    rebuildTime = (performance.now() - start) / 1_000;
  });
  const written = views;
  const lags = await lagsOf(store);
  return {
    events,
    replayed: events / replayTime,
    rebuilt: events / rebuildTime,
    views: written / rebuildTime,
    replaying: (replaying * 1_000) / events,
    rebuilding: (rebuilding * 1_000) / events,
    memory: process.resourceUsage().maxRSS / 1_024,
    lag: lags[Math.floor(lags.length / 2)] ?? 0,
    lagOfFew: lags[Math.floor(lags.length * 0.99)] ?? 0,
  };
}

/** How long each of a number of views came after its command was acknowledged, in ms, sorted; 0 where it came before. */
async function lagsOf(store: IEventStore): Promise<readonly number[]> {
  const waiting = new Map<string, (seen: number) => void>();
  const seen = (update: CursorUpdate) => {
    for (const { id } of update.views ?? []) waiting.get(id)?.(performance.now());
  };
  const watched = intercepted(store, {
    commitCursors: async (lease, update) => {
      const outcome = await store.commitCursors(lease, update);
      if (outcome.status === "committed") seen(update);
      return outcome;
    },
  });
  const handler = new CommandHandler(store, [Purse]);
  const stop = new AbortController();
  const run = new StreamReader(watched).run([tenant], "main", [new Sums()], { signal: stop.signal });
  const lags: number[] = [];
  for (let n = 0; n < COMMANDS; n++) {
    const aggregateId = `new-${n}`;
    const visible = new Promise<number>((resolve) => waiting.set(aggregateId, resolve));
    await handler.command(payer, "Pay", { amount: 1, aggregateId });
    const acknowledged = performance.now();
    lags.push(Math.max(0, (await visible) - acknowledged));
  }
  stop.abort();
  await run;
  return lags.sort((a, b) => a - b);
}
