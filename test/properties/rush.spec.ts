import { seededRandom } from "../support/seeded-random.ts";
import { HurriedClock } from "../support/turned-clock.ts";
import { GROUNDS, type Grounds, unusedTenant } from "./grounds.ts";
import { Rush } from "./rush.ts";
import { rushHour } from "./rush-hour.ts";

const SEED = Number(process.env.RUSH_SEED ?? 1);

describe("Processes that send, read and operate at the same time", function () {
  this.timeout(1_800_000);

  for (const { name, runs: count, open } of GROUNDS) {
    const runs = Number(process.env.RUSH_RUNS ?? Math.ceil(count / 10));

    describe(`on ${name}`, () => {
      let grounds: Grounds | undefined;
      before(async () => {
        grounds = await open();
      });
      after(() => grounds?.close());

      it(`leave one order in which each command was right at its place (${runs} runs from seed ${SEED})`, async () => {
        for (let seed = SEED; seed < SEED + runs; seed++) {
          const clock = new HurriedClock();
          const { stores, close } = await grounds!.take(() => clock.now());
          const sites = stores.map((store) => ({ store, platform: clock }));
          const tenant = unusedTenant();
          await stores[0]!.open(tenant);
          const rush = new Rush(seededRandom(seed), sites, tenant);
          try {
            await rush.run(20);
            await rush.check(stores[0]!, clock);
          } catch (cause) {
            throw new Error(`RUSH_SEED=${seed} RUSH_RUNS=1: ${(cause as Error).message}`, { cause });
          } finally {
            await close();
          }
        }
      });
    });
  }

  const hours = Number(process.env.RUSH_RUNS ?? 40);
  it(`do so where DynamoDB's requests are late, doubled or lose their replies (${hours} runs from seed ${SEED})`, async () => {
    for (let seed = SEED; seed < SEED + hours; seed++) {
      await rushHour(seed, 12).catch((cause) => {
        throw new Error(`RUSH_SEED=${seed} RUSH_RUNS=1: ${(cause as Error).message}`, { cause });
      });
    }
  });
});
