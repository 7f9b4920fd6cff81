import { defaultPlatform, type IEventStore } from "../../core/index.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { FACETS } from "./facets.ts";
import { Run } from "./run.ts";

/** How long one clause may take on the slowest store, an emulator, in ms. */
const CLAUSE_TIMEOUT = 60_000;

/**
 * Declares every clause of the store contract for one store, as a mocha suite; the store is made once and closed at the end.
 *
 * `makeStore` gets the clock (ms since 1970) that the kit turns by hand; the store must tell time by it.
 */
export function contract(name: string, makeStore: (now: () => number) => IEventStore | Promise<IEventStore>): void {
  describe(`${name} event store keeps the contract`, function () {
    this.timeout(CLAUSE_TIMEOUT);
    const clock = new TurnedClock();
    let run: Run;
    let store: IEventStore;
    before(async () => {
      store = await makeStore(() => clock.now());
      run = new Run(store, clock, defaultPlatform.newId().replaceAll(/[^A-Za-z0-9]/g, "x"));
    });
    after(() => store?.close());
    for (const facet of FACETS) {
      describe(facet.name, () => {
        for (const clause of facet.clauses) it(clause.title, () => run.check(clause));
      });
    }
    describe("at the end", () => {
      it("closes, and closes again", async () => {
        await store.close();
        await store.close();
      });
    });
  });
}
