import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { StreamReader } from "../../core/index.ts";
import { Totals } from "../../examples/calculator/index.ts";

const [, , path = "", tenant = "", thread = ""] = process.argv;

// A process of its own: says that it is ready, polls a thread of totals again and again until it gets the word, and tells how many
// events it handled.
const store = new SqliteEventStore({ path });
const reader = new StreamReader(store);
await store.open(tenant);
let isOver = false;
void once(process.stdin, "data").then(() => {
  isOver = true;
  process.stdin.destroy();
});
process.stdout.write("ready\n");
let handled = 0;
while (!isOver) {
  handled += (await reader.poll(tenant, thread, [new Totals()], { limit: 7 })).handled;
  // Long enough to leave the processor to the others.
  await setTimeout(5);
}
process.stdout.write(`${handled}\n`);
await store.close();
