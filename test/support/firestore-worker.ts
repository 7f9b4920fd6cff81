import { setTimeout as sleep } from "node:timers/promises";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { pending } from "../contract/pending.ts";
import { Bookkeeper, tellerOf, Wallet } from "../contract/wallet.ts";
import { firestoreClient } from "./firestore-store.ts";

const [, , work = "", projectId = "", tenant = "", ...rest] = process.argv;

// A process of its own: does one kind of work on a tenant, and tells what came of it on lines of JSON.
const client = await firestoreClient(projectId);
const store = new FirestoreEventStore(client);

const WORKS: Record<string, (...facts: string[]) => Promise<void>> = {
  /** Sends commands one after another to one aggregate, without an expected version. */
  async send(id = "", count = "0") {
    // Contenders for one aggregate all get through, but who is unlucky on a slow machine waits longer than the 8 s that users wait.
    const handler = new CommandHandler(store, [Wallet], { deadline: 60_000 });
    const begun = performance.now();
    for (let n = 0; n < Number(count); n++) await handler.command(tellerOf(tenant), "Deposit", { amount: 1, aggregateId: id });
    tell({ sent: Number(count), ms: performance.now() - begun });
  },

  /** Commits in groups, each by a store that is as new as that of a short-lived process, until the time is over. */
  async flash(prefix = "", seconds = "0", size = "1", most = "0") {
    let sent = 0;
    for (const end = performance.now() + Number(seconds) * 1_000; performance.now() < end && sent < Number(most); ) {
      const fresh = new FirestoreEventStore(client);
      const group = Array.from({ length: Number(size) }, (_, n) => pending({ id: `${prefix}-${sent + n}`, version: 0 }));
      const outcomes = await fresh.commit(tenant, group);
      sent += outcomes.filter(({ status }) => status === "committed").length;
      await fresh.close();
    }
    tell({ sent });
  },

  /** Sends until the tenant is closed, warm. */
  async hammer(id = "") {
    const handler = new CommandHandler(store, [Wallet]);
    for (let sent = 0; ; sent++) {
      try {
        await handler.command(tellerOf(tenant), "Deposit", { amount: 1, aggregateId: `${id}-${sent % 5}` });
        if (sent === 10) tell({ isWarm: true });
      } catch (error) {
        tell({ sent, code: (error as { code?: string }).code, status: (error as { status?: string }).status });
        break;
      }
    }
  },

  /** Polls with a projection until so many events are booked by whoever, or this process is killed. */
  async poll(until = "0", limit = "20") {
    const reader = new StreamReader(store);
    const bookkeeper = new Bookkeeper();
    let handled = 0;
    for (;;) {
      const result = await reader.poll(tenant, "main", [bookkeeper], { limit: Number(limit), lease: 1_000 });
      handled += result.handled;
      tell({ handled });
      if ((result.cursors.Bookkeeper ?? 0) >= Number(until)) break;
      if (result.status !== "progressed") await sleep(20);
    }
  },
};

await WORKS[work]?.(...rest);
await store.close();
await client.terminate();

function tell(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}
