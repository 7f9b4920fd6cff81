import { once } from "node:events";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { CommandHandler } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "./actors.ts";

const [, , path = "", tenant = "", count = "0"] = process.argv;

// A process of its own: says that it is ready, waits for the word, sends commands on one aggregate at once, and tells the versions they made.
const store = new SqliteEventStore({ path });
const handler = new CommandHandler(store, [SummingCalculator]);
await store.open(tenant);
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
const add = () => handler.command(actorOf(tenant), "AddNumbers", { number1: 1, number2: 0, aggregateId: "hot" });
for (const { aggregate } of await Promise.all(Array.from({ length: Number(count) }, add)))
  process.stdout.write(`${aggregate.aggregateVersion} ${aggregate.sum}\n`);
await store.close();
