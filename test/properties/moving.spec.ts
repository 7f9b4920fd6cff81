import fc from "fast-check";
import { HurriedClock } from "../support/turned-clock.ts";
import { GROUNDS, type Grounds } from "./grounds.ts";
import { runs } from "./runs.ts";
import { tillDeed } from "./till-deeds.ts";
import { Twofold } from "./twofold.ts";

const deeds = fc.array(tillDeed, { minLength: 1, maxLength: 40, size: "max" });

describe("Tenants that move by export and import", function () {
  this.timeout(1_800_000);
  const opened = new Map<string, Grounds>();

  before(async () => {
    for (const { name, open } of GROUNDS) opened.set(name, await open());
  });
  after(async () => {
    for (const grounds of opened.values()) await grounds.close();
  });

  for (const [from, to] of GROUNDS.flatMap((one) => GROUNDS.map((other) => [one, other] as const)).filter(
    ([one, other]) => one !== other,
  )) {
    it(`go on as if nothing had happened, from ${from.name} to ${to.name}`, async () => {
      await fc.assert(
        fc.asyncProperty(deeds, deeds, async (before, after) => {
          const clock = new HurriedClock();
          const [old, other] = [
            await opened.get(from.name)!.take(() => clock.now()),
            await opened.get(to.name)!.take(() => clock.now()),
          ];
          try {
            const twofold = new Twofold(old.stores, clock);
            for (const deed of before) await twofold.do(deed);
            await twofold.moveTo(other.stores);
            for (const deed of after) await twofold.do(deed);
            await twofold.end();
          } finally {
            await old.close();
            await other.close();
          }
        }),
        runs(Math.min(from.runs, to.runs) / 20),
      );
    });
  }
});
