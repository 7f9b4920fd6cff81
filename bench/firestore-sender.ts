// One process of the Firestore benchmark: waits for the common start, sends until the time is over, and tells how many commands succeeded.
import { Firestore } from "@google-cloud/firestore";
import { designs } from "./firestore-designs.ts";

const [name = "", settings = "{}", tenant = "", prefix = "", inFlight = "1", startAt = "0", seconds = "1"] =
  process.argv.slice(2);
const client = new Firestore(JSON.parse(settings));
const command = await designs.find((design) => design.name === name)?.sender(client, tenant);
if (command === undefined) throw new Error(`no design is named ${name}`);
await command(`${prefix}-warm`).catch(() => {});
await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
const end = Date.now() + Number(seconds) * 1_000;
let done = 0;
await Promise.all(Array.from({ length: Number(inFlight) }, (_, n) => lane(command, `${prefix}-${n}`)));
// Commands that are still on their way are not counted and not waited for.
process.send?.(done, () => process.exit());

async function lane(send: (id: string) => Promise<void>, id: string): Promise<void> {
  while (Date.now() < end) {
    const isDone = await send(id).then(
      () => true,
      () => false,
    );
    if (isDone && Date.now() < end) done += 1;
  }
}
