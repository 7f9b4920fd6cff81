import type { IDocument } from "../../adapters/dynamodb/index.ts";
import { CommandHandler, defaultPlatform } from "../../core/index.ts";
import { SummingCalculator } from "../../examples/calculator/index.ts";
import { actorOf } from "./actors.ts";
import { tableAt } from "./dynamodb-store.ts";

const [, , endpoint = "", table = "", tenant = "", name = "", count = "0", end = ""] = process.argv;

/** Ends this process without a word, in the moment between a ticket and its commit: whether the commit is sent yet is left open. */
function dying(document: IDocument): IDocument {
  const die = (isSent: boolean): Promise<never> => {
    setTimeout(() => process.kill(process.pid, "SIGKILL"), isSent ? 2 : 0);
    return new Promise(() => undefined);
  };
  return {
    get: (input) => document.get(input),
    query: (input) => document.query(input),
    batchGet: (input) => document.batchGet(input),
    update: (input) => document.update(input),
    put: (input) => {
      const isSent = end === "late";
      if (isSent) void document.put(input);
      return die(isSent);
    },
    transactWrite: (input) => (input.TransactItems.length > 0 ? die(false) : document.transactWrite(input)),
  };
}

// A process of its own: sends commands in turn to an aggregate of its own and to one that all share; tells each on a line.
const connected = tableAt(endpoint, table);
const store = connected.store({}, end === "" ? undefined : dying);
const handler = new CommandHandler(store, [SummingCalculator]);
const actor = actorOf(tenant);
for (let sent = 0; sent < Number(count); sent++) {
  const aggregateId = sent % 2 === 0 ? name : "shared";
  const began = defaultPlatform.now();
  const context = await handler.command(actor, "AddNumbers", { number1: 1, number2: 0, aggregateId });
  const { aggregateVersion: version } = context.aggregate;
  process.stdout.write(`${context.commitId} ${aggregateId} ${version} ${defaultPlatform.now() - began}\n`);
}
await store.close();
connected.close();
