import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import fc from "fast-check";
import { CommandHandler, Err, type IEventHandler, StreamReader } from "../../core/index.ts";
import { readAll } from "../contract/reading.ts";
import { Bookkeeper, tellerOf, Wallet, type WalletEvents } from "../contract/wallet.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore } from "../support/stores.ts";
import { runs } from "./runs.ts";

/** One thing that one of several writers does, on one of three wallets. */
type Step =
  | { readonly do: "deposit"; readonly id: number; readonly amount: number }
  | { readonly do: "withdraw"; readonly id: number; readonly amount: number }
  | { readonly do: "move"; readonly id: number; readonly to: number; readonly amount: number }
  | { readonly do: "compare"; readonly id: number; readonly to: number }
  | { readonly do: "pause" };

const id = fc.nat(2);
const amount = fc.integer({ min: 1, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("deposit" as const), id, amount }),
  fc.record({ do: fc.constant("withdraw" as const), id, amount }),
  fc.record({ do: fc.constant("move" as const), id, to: id, amount }),
  fc.record({ do: fc.constant("compare" as const), id, to: id }),
  fc.record({ do: fc.constant("pause" as const) }),
);

/** Sends a step; a refusal by the rules of the wallet is a result like any other. */
async function take(handler: CommandHandler<readonly [typeof Wallet]>, tenant: string, taken: Step): Promise<void> {
  const actor = tellerOf(tenant);
  if (taken.do === "pause") return setImmediate();
  const aggregateId = `w${taken.id}`;
  try {
    if (taken.do === "deposit") await handler.command(actor, "Deposit", { aggregateId, amount: taken.amount });
    else if (taken.do === "withdraw") await handler.command(actor, "Withdraw", { aggregateId, amount: taken.amount });
    else if (taken.id === taken.to) return;
    else if (taken.do === "move") await handler.command(actor, "Move", { aggregateId, to: `w${taken.to}`, amount: taken.amount });
    else await handler.command(actor, "Compare", { aggregateId, with: `w${taken.to}` });
  } catch (error) {
    if (!Err.is(error, "precondition")) throw error;
  }
}

onEveryStore("The order under random interleavings", (stage) => {
  it("has every version of every aggregate once, and every reader and view follows it", async () => {
    const writers = fc.array(fc.array(step, { maxLength: 8 }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(writers, fc.integer({ min: 1, max: 5 }), async (scripts, limit) => {
        const { store, clock } = stage;
        const tenant = stage.newTenant();
        await store.open(tenant);
        const heard: number[] = [];
        const listener: IEventHandler<WalletEvents> = {
          name: "Listener",
          events: { Paid: (_tenant, _event, { position }) => void heard.push(position) },
        };
        const reader = () => new StreamReader(store, { platform: clock });
        let isDone = false;
        const read = async (thread: string) => {
          for (let isLast = false; !isLast; ) {
            isLast = isDone;
            await reader().poll(tenant, thread, thread === "views" ? [new Bookkeeper()] : [listener], { limit, lease: 900_000 });
            await setImmediate();
          }
        };
        const reading = Promise.all([read("main"), read("views"), read("views")]);
        const handlers = scripts.map(() => new CommandHandler(store, [Wallet] as const, { platform: clock }));
        const writing = scripts.map(async (script, writer) => {
          for (const taken of script) await take(handlers[writer]!, tenant, taken);
        });
        await Promise.all(writing).finally(() => {
          isDone = true;
        });
        await reading;
        await pollUntilIdle(reader(), tenant, "main", [listener]);
        await pollUntilIdle(reader(), tenant, "views", [new Bookkeeper()]);

        const { commits } = await readAll({ store, clock }, tenant);
        expect(heard).to.deep.equal(commits.flatMap(({ position, events }) => events.map(() => position)));
        const last = new Map<string, number>();
        const balances = new Map<string, number>();
        for (const commit of commits) {
          expect(commit.version).to.equal((last.get(commit.id) ?? -1) + 1);
          last.set(commit.id, commit.version);
          for (const { payload } of commit.events)
            balances.set(commit.id, (balances.get(commit.id) ?? 0) + (payload.amount as number));
        }
        for (const [wallet, balance] of balances) {
          expect(await reader().views(tenant, new Bookkeeper()).get(wallet)).to.include({ balance });
          expect((await handlers[0]!.load(tellerOf(tenant), Wallet, wallet))?.balance).to.equal(balance);
          expect(balance).to.be.at.least(0);
        }
      }),
      runs(60),
    );
  });
});
