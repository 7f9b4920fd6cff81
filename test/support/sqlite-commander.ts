import { once } from "node:events";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { CommandHandler } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "./actors.ts";
import { intercepted } from "./intercepted-store.ts";

const [, , path = "", tenant = "", count = "0", aggregates = "1"] = process.argv;

// A process of its own: says that it is ready, waits for the word, sends commands on shared aggregates, some at once on each, and tells
// what each made and, on the last line, how many conflicts it decided again.
const store = new SqliteEventStore({ path });
let conflicts = 0;
const counted = intercepted(store, {
  commit: async (of, pending) => {
    const outcomes = await store.commit(of, pending);
    conflicts += outcomes.filter(({ status }) => status === "conflict").length;
    return outcomes;
  },
});
// Longer than the default: every conflict is to be decided again, also on a machine that is busy.
const handler = new CommandHandler(counted, [SummingCalculator], { deadline: 30_000 });
await store.open(tenant);
process.stdout.write("ready\n");
await once(process.stdin, "data");
process.stdin.destroy();
const add = async (_: unknown, number: number) => {
  const aggregateId = `shared-${number % Number(aggregates)}`;
  const { aggregate } = await handler.command(actorOf(tenant), "AddNumbers", { number1: 1, number2: 0, aggregateId });
  process.stdout.write(`${aggregateId} ${aggregate.aggregateVersion} ${aggregate.sum}\n`);
};
/** How many are sent at once. */
const TOGETHER = 20;
for (let left = Number(count); left > 0; left -= TOGETHER)
  await Promise.all(Array.from({ length: Math.min(left, TOGETHER) }, add));
process.stdout.write(`conflicts ${conflicts}\n`);
await store.close();
