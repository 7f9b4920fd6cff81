import { TurnedClock } from "../support/turned-clock.ts";
import { Drill } from "./drill.ts";
import { GROUNDS, type Grounds, unusedTenant } from "./grounds.ts";

const SEED = Number(process.env.OPERATOR_SEED ?? 1);
const MOVES = 60;

describe("Whatever readers and operators do to a projection", function () {
  this.timeout(1_800_000);

  for (const { name, runs: count, open } of GROUNDS) {
    // Such a run takes as long as some ten short ones.
    const runs = Number(process.env.OPERATOR_RUNS ?? Math.ceil(count / 4));

    describe(`on ${name}`, () => {
      let grounds: Grounds | undefined;
      before(async () => {
        grounds = await open();
      });
      after(() => grounds?.close());

      it(`each event that it passed is in its views once, or among its dead letters (${runs} runs from seed ${SEED})`, async () => {
        for (let seed = SEED; seed < SEED + runs; seed++) {
          const clock = new TurnedClock();
          const { stores, close } = await grounds!.take(() => clock.now());
          const tenant = unusedTenant();
          const drill = new Drill(seed, stores, clock, tenant);
          try {
            await drill.store.open(tenant);
            for (let move = 0; move < MOVES; move++) await drill.step();
            await drill.settle();
          } catch (cause) {
            const run = `OPERATOR_SEED=${seed} OPERATOR_RUNS=1`;
            throw new Error(`${run}: ${(cause as Error).message}\n${drill.log.join("\n")}`, { cause });
          } finally {
            await close();
          }
        }
      });
    });
  }
});
