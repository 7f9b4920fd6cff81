import { expect } from "chai";
import { CommandHandler, Err, StoreError } from "../../core/index.ts";
import { ForgetfulStore } from "../support/forgetful-store.ts";
import { rejects } from "../support/rejects.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { Clause, Facet } from "./clause.ts";
import { readAll } from "./reading.ts";
import { tellerOf, Wallet } from "./wallet.ts";

/** How often a client sends a command before the clause fails. */
const PATIENCE = 50;

/** One clause for each seed: clients send what was not acknowledged again, with the same commandId, until it is. */
const clients: readonly Clause[] = [1, 2, 3].map((seed) => ({
  title: `carry every command out once when clients resend until they are told (seed ${seed})`,
  check: async (ground) => {
    const { store, clock, tenant } = ground;
    await store.open(tenant);
    const random = seededRandom(seed);
    const forgetful = new ForgetfulStore(store);
    forgetful.forgets = () => (random.chance(0.4) ? (random.chance(0.5) ? "none" : "all") : undefined);
    const handlers = [0, 1, 2].map(() => new CommandHandler(forgetful, [Wallet], { platform: clock }));
    const client = async (number: number) => {
      for (let n = 0; n < 8; n++) {
        const commandId = `${number}-${n}`;
        for (let tries = 0, isTold = false; !isTold; tries++) {
          expect(tries, "tries").to.be.below(PATIENCE);
          const handler = handlers[random.below(3)]!;
          const sent = handler.command(
            tellerOf(tenant, `client-${number}`),
            "Deposit",
            { aggregateId: `w${n % 2}`, amount: 1 },
            { commandId },
          );
          isTold = await sent.then(
            () => true,
            (error: unknown) => {
              if (Err.is(error, "store") && error.outcome === "unknown") return false;
              throw error;
            },
          );
        }
      }
    };
    await Promise.all([0, 1, 2, 3].map(client));
    const { commits } = await readAll(ground, tenant);
    const carriedOut = commits.map(({ receipt }) => receipt?.commandId);
    expect(carriedOut.length).to.equal(32);
    expect(new Set(carriedOut).size).to.equal(32);
    for (const id of ["w0", "w1"]) {
      expect(commits.filter((commit) => commit.id === id).map(({ version }) => version)).to.deep.equal(
        Array.from({ length: 16 }, (_, n) => n),
      );
      expect((await handlers[0]!.load(tellerOf(tenant), Wallet, id))?.balance).to.equal(16);
    }
  },
}));

/** What the engine promises when nobody knows whether a write was done, on every store. */
export const engineUnknown: Facet = {
  name: "unknown outcomes",
  clauses: [
    ...clients,
    {
      title: "are told as what they are, and acted on by nobody inside",
      check: async (ground) => {
        const { store, clock, tenant } = ground;
        const forgetful = new ForgetfulStore(store);
        const handler = new CommandHandler(forgetful, [Wallet], { platform: clock });
        await handler.command(tellerOf(tenant), "Deposit", { aggregateId: "w", amount: 1 });
        let calls = 0;
        forgetful.forgets = () => {
          calls += 1;
          return "all";
        };
        const error = await rejects(StoreError, handler.command(tellerOf(tenant), "Deposit", { aggregateId: "w", amount: 1 }));
        expect(error.outcome).to.equal("unknown");
        expect(calls).to.equal(1);
        forgetful.forgets = () => undefined;
        expect((await handler.command(tellerOf(tenant), "Deposit", { aggregateId: "w", amount: 1 })).aggregate.balance).to.equal(
          3,
        );
        expect((await readAll(ground, tenant)).commits.length).to.equal(3);
      },
    },
  ],
};
