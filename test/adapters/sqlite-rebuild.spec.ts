import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause, setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { CommandHandler, Err, type IEventStore, type JsonObject, StreamReader } from "../../core/index.ts";
import { eventOf, pending } from "../contract/pending.ts";
import { listAll } from "../contract/reading.ts";
import { tellerOf, WALLET, Wallet } from "../contract/wallet.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { Ledger, nextEntry } from "../support/rebuild-ledger.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { temporaryFolder } from "../support/sqlite-folder.ts";

/** The full campaign: REBUILD_EVENTS=100000 REBUILD_KILLS=20. */
const EVENTS = Number(process.env.REBUILD_EVENTS ?? 4_500);
const KILLS = Number(process.env.REBUILD_KILLS ?? 3);
const SEED = Number(process.env.REBUILD_SEED ?? 20_261);
const TENANTS = ["north", "south", "west"];
const WALLETS = 200;
/** So many commits a batch that there are about sixty places to die at in each tenant, with five events in a commit. */
const BATCH = Math.ceil(EVENTS / TENANTS.length / 5 / 60);
/** Longer than a lease. */
const LEASE_PAST = 31_000;

describe(`A rebuild of ${EVENTS} events over ${TENANTS.length} tenants, killed ${KILLS} times (REBUILD_SEED=${SEED})`, function () {
  this.timeout(60_000 + EVENTS * 10);
  const newPath = temporaryFolder();

  it("ends at a fresh fold, while commands come and the live projection works", async () => {
    const path = newPath();
    const random = seededRandom(SEED);
    const store = new SqliteEventStore({ path });
    try {
      for (const tenant of TENANTS) {
        await seed(store, tenant, Math.ceil(EVENTS / TENANTS.length));
        await pollUntilIdle(new StreamReader(store), tenant, "main", [new Ledger(0)], { limit: 1_000 });
      }
      const work = liveWork(store);
      let kills = 0;
      try {
        for (const [index, tenant] of TENANTS.entries()) {
          const share = Math.ceil(((index + 1) * KILLS) / TENANTS.length);
          for (let isSwitched = false; !isSwitched; ) {
            const mayKill = kills < share;
            const outcome = await rebuildOnce(path, tenant, kills * LEASE_PAST, mayKill ? 1 + random.below(8) : Infinity);
            if (outcome === "killed") kills++;
            // Killed just after its last write, it has switched and could not tell.
            isSwitched = outcome === "switched" || (await versionOf(store, tenant)) === 1;
          }
        }
      } finally {
        await work.stop();
      }
      // A rebuild may end before it is killed for the last time.
      expect(kills, "kills").to.be.at.least(KILLS / 2);
      expect(work.sent(), "commands sent meanwhile").to.be.above(0);
      for (const tenant of TENANTS) {
        await pollUntilIdle(new StreamReader(store), tenant, "main", [new Ledger(1)], { limit: 1_000 });
        const [pointer] = await store.views(tenant, "ledger~live").get(["live"]);
        expect(pointer).to.deep.equal({ collection: "ledger~1" });
        const views = await listAll(store, tenant, "ledger~1", 1_000);
        expect(Object.fromEntries(views.map(({ id, value }) => [id, value]))).to.deep.equal(await freshFold(store, tenant));
      }
      console.log(`      ${kills} kills, ${work.sent()} commands meanwhile, a rebuilding process had at most ${work.rss()} MB`);
    } finally {
      await store.close();
    }
  });

  /** Peak memory of the processes that came to their end, in MB. */
  let peak = 0;

  async function rebuildOnce(path: string, tenant: string, ahead: number, killAfter: number): Promise<"killed" | "switched"> {
    const script = fileURLToPath(new URL("../support/rebuild-worker.ts", import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, script, path, tenant, String(ahead), String(BATCH)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let told = 0;
    let isKilled = false;
    for await (const line of createInterface({ input: child.stdout })) {
      const [first, second] = line.split(" ");
      if (first === "switched") peak = Math.max(peak, Math.round(Number(second) / 1_024));
      else if (++told === killAfter) isKilled = child.kill("SIGKILL");
    }
    const [code] = await exited;
    if (isKilled && code === null) return "killed";
    expect(code, "the rebuilding process's exit code").to.equal(0);
    return "switched";
  }

  /** Sends commands and polls the live projection, in whichever version its views have. */
  function liveWork(store: IEventStore) {
    const handler = new CommandHandler(store, [Wallet]);
    const reader = new StreamReader(store);
    const random = seededRandom(SEED + 1);
    let isOver = false;
    let sent = 0;
    const going = (async () => {
      while (!isOver) {
        const tenant = TENANTS[random.below(TENANTS.length)]!;
        await handler.command(tellerOf(tenant), "Deposit", { amount: ++sent, aggregateId: `w${random.below(WALLETS)}` });
        const version = (await versionOf(store, tenant)) === 1 ? 1 : 0;
        try {
          await reader.poll(tenant, "main", [new Ledger(version)]);
        } catch (error) {
          // The switch came between the look and the poll.
          if (!Err.is(error, "outdated")) throw error;
        }
        await pause(3);
      }
    })();
    const stop = () => {
      isOver = true;
      return going;
    };
    return { stop, sent: () => sent, rss: () => peak };
  }
});

async function versionOf(store: IEventStore, tenant: string): Promise<number> {
  const { thread } = await store.peek(tenant, "main");
  return thread.cursors.Ledger?.version ?? 0;
}

/** Payments to wallets in turn, a hundred commits of five events in one call. */
async function seed(store: IEventStore, tenant: string, events: number): Promise<void> {
  await store.open(tenant);
  for (let sent = 0; sent < events; ) {
    const group = [];
    for (let n = 0; n < 100 && sent < events; n++) {
      const commit = sent / 5;
      const amounts = [1, 2, 3, 4, 5].map((offset) => sent + offset);
      const paid = amounts.map((amount) => eventOf({ amount }, "Paid"));
      const place = { id: `w${commit % WALLETS}`, version: Math.floor(commit / WALLETS), type: WALLET };
      group.push(pending({ ...place, events: paid }));
      sent += 5;
    }
    for (const { status } of await store.commit(tenant, group)) expect(status).to.equal("committed");
    await setImmediate();
  }
}

async function freshFold(store: IEventStore, tenant: string): Promise<Readonly<Record<string, JsonObject>>> {
  const views: Record<string, JsonObject> = {};
  for (let after = 0, isLast = false; !isLast; ) {
    const { commits, next } = await store.read(tenant, after, 1_000);
    for (const { id, events } of commits)
      for (const { payload } of events) views[id] = nextEntry(1, views[id], Number(payload.amount));
    isLast = next === after;
    after = next;
  }
  return views;
}
