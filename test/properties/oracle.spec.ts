import fc from "fast-check";
import { HurriedClock } from "../support/turned-clock.ts";
import { GROUNDS, type Grounds } from "./grounds.ts";
import { runs } from "./runs.ts";
import { tillDeed } from "./till-deeds.ts";
import { Twofold } from "./twofold.ts";

describe("Five handlers with caches of their own, of classes old and new,", function () {
  this.timeout(1_800_000);

  for (const { name, runs: count, open } of GROUNDS) {
    describe(`on ${name}`, () => {
      let grounds: Grounds | undefined;
      before(async () => {
        grounds = await open();
      });
      after(() => grounds?.close());

      it("answer as a model without any machinery does", async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(tillDeed, { minLength: 1, maxLength: 60, size: "max" }), async (deeds) => {
            const clock = new HurriedClock();
            const { stores, close } = await grounds!.take(() => clock.now());
            try {
              const twofold = new Twofold(stores, clock);
              for (const one of deeds) await twofold.do(one);
              await twofold.end();
            } finally {
              await close();
            }
          }),
          runs(count),
        );
      });
    });
  }
});
