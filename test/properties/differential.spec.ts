import { expect } from "chai";
import fc from "fast-check";
import { type Deed, deed } from "./deeds.ts";
import { runs } from "./runs.ts";
import { SEVERAL_STORES, sameOnEach } from "./same-on-each.ts";

describe("The same deeds", function () {
  this.timeout(60_000);

  it(`give the same answers, logs, states and views on ${SEVERAL_STORES.map(({ name }) => name).join(", ")}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 1, maxLength: 40, size: "max" }), async (deeds: readonly Deed[]) => {
        const [oracle, ...others] = await sameOnEach(deeds);
        for (const other of others) expect(other, other!.store).to.deep.equal({ ...oracle!, store: other!.store });
      }),
      runs(25),
    );
  });
});
