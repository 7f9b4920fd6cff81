import { setTimeout as pause } from "node:timers/promises";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { StreamReader } from "../../core/index.ts";
import { Ledger } from "./rebuild-ledger.ts";
import { TurnedClock } from "./turned-clock.ts";

const [, , path = "", tenant = "", ahead = "0", batch = "500"] = process.argv;

// A process of its own: rebuilds a tenant's ledger in a SQLite file and tells how far it is on lines, until it is done or killed.
const clock = new TurnedClock();
// The lease of a process that was killed has ended on this one's clock.
clock.turn(Number(ahead));
const store = new SqliteEventStore({ path, now: () => clock.now() });
const reader = new StreamReader(store, { platform: clock });
const told: string[] = [];
const options = {
  limit: Number(batch),
  onProgress: ({ position, head }: { position: number; head: number }) => void told.push(`${position} ${head}`),
};
const rebuilt = reader.rebuild(tenant, "main", new Ledger(1), options);
let isOver = false;
// A failure is told by the awaiting below.
rebuilt
  .catch(() => {})
  .finally(() => {
    isOver = true;
  });
while (!isOver) {
  for (const line of told.splice(0)) process.stdout.write(`${line}\n`);
  await pause(1);
}
const { status } = await rebuilt;
process.stdout.write(`${status} ${process.resourceUsage().maxRSS}\n`);
await store.close();
