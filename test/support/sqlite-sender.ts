import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { pending, TYPE } from "../contract/pending.ts";
import { seededRandom } from "./seeded-random.ts";

/** How many aggregates all the processes share. */
const AGGREGATES = 5;

const [, , path = "", tenant = "", count = "0", seed = "0"] = process.argv;

// A process of its own: opens the store, sends commits on shared aggregates, and tells each acknowledged one on a line.
const random = seededRandom(Number(seed));
const store = new SqliteEventStore({ path });
await store.open(tenant);
const versions = new Map<string, number>();
for (let sent = 0; sent < Number(count); ) {
  const id = `shared-${random.below(AGGREGATES)}`;
  const version = versions.get(id) ?? 0;
  const commit = pending({ id, version, snapshot: { schema: 0, state: { version } } });
  const [outcome] = await store.commit(tenant, [commit]);
  if (outcome?.status === "conflict") versions.set(id, outcome.actual + 1);
  else if (outcome?.status === "committed") {
    versions.set(id, version + 1);
    sent += 1;
    process.stdout.write(`${commit.commitId} ${TYPE} ${id} ${version} ${outcome.positions?.[0]}\n`);
  } else throw new Error(`unexpected outcome ${JSON.stringify(outcome)}`);
}
await store.close();
