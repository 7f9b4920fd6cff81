import { expect } from "chai";
import { CommandHandler, Err, StreamReader } from "../../core/index.ts";
import { Account, Accounts } from "../../examples/bank-account/index.ts";
import { actorOf } from "../support/actors.ts";
import { pollDuring, pollUntilIdle } from "../support/poll-until-idle.ts";
import { type SeededRandom, seededRandom } from "../support/seeded-random.ts";
import { onEveryStore } from "../support/stores.ts";

const IDS = ["a", "b", "c", "d", "e"] as const;
const CLIENTS = 12;
const TRANSFERS = 10;

type Bank = CommandHandler<readonly [typeof Account]>;

/** Picks one of several things. */
function pick<T>(random: SeededRandom, things: readonly T[]): T {
  return things[random.below(things.length)] as T;
}

onEveryStore(
  "Random transfers between five accounts, by four handlers with caches of three, some sent twice at once,",
  (stage) => {
    for (const seed of [1, 2, 3, 4, 5]) {
      it(`leave balances, folds, snapshots and views that agree (seed ${seed})`, async () => {
        const random = seededRandom(seed);
        const actor = actorOf(stage.newTenant());
        const banks: readonly Bank[] = [1, 2, 3, 4].map(() => new CommandHandler(stage.store, [Account], { cacheSize: 3 }));
        for (const aggregateId of IDS) await pick(random, banks).command(actor, "OpenAccount", { owner: "ada", aggregateId });
        const expected = new Map<string, number>(IDS.map((id) => [id, 0]));
        const book = (id: string, amount: number) => expected.set(id, (expected.get(id) ?? 0) + amount);

        const transfer = async (commandId: string) => {
          const [from, to, amount] = [pick(random, IDS), pick(random, IDS), 1 + random.below(300)];
          const send = (bank: Bank) => bank.command(actor, "TransferMoney", { to, amount, aggregateId: from }, { commandId });
          const sent = await Promise.allSettled(
            random.chance(0.3) ? [send(pick(random, banks)), send(pick(random, banks))] : [send(pick(random, banks))],
          );
          const commitIds = new Set(sent.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.commitId] : [])));
          expect(commitIds.size).to.be.at.most(1);
          for (const outcome of sent) {
            if (
              outcome.status === "rejected" &&
              !Err.is(outcome.reason, "precondition") &&
              !Err.is(outcome.reason, "invalid_argument")
            )
              throw outcome.reason;
          }
          if (commitIds.size === 0) return;
          book(from, -amount);
          book(to, amount);
        };

        const reader = new StreamReader(stage.store, { platform: stage.clock });
        const accounts = new Accounts();
        const clients = Array.from({ length: CLIENTS }, async (_, client) => {
          for (let count = 0; count < TRANSFERS; count++) await transfer(`${client}-${count}`);
        });
        await pollDuring(Promise.all(clients), () => reader.poll(actor.tenant, "views", [accounts], { limit: 3 }));
        await pollUntilIdle(reader, actor.tenant, "views", [accounts]);

        expect([...expected.values()].reduce((sum, balance) => sum + balance, 0)).to.equal(0);
        for (const id of IDS) {
          const { aggregate, snapshot } = await pick(random, banks).recalculate(actor, Account, id);
          expect(aggregate.balance, id).to.equal(expected.get(id)).and.to.be.at.least(-1000);
          expect(snapshot, id).to.not.equal("different");
          const view = await reader.views<{ balance: number }>(actor.tenant, accounts).get(id);
          expect(view?.balance, id).to.equal(expected.get(id));
        }
      });
    }
  },
);
