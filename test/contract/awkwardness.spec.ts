import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import type { IEventStore } from "../../core/index.ts";
import { AwkwardEventStore } from "../support/awkward-event-store.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { TurnedClock } from "../support/turned-clock.ts";
import { pending } from "./pending.ts";
import { readAll } from "./reading.ts";
import { LEASED_UNTIL } from "./writing.ts";

const TENANT = "acme";
const COMMITS = 60;

/** An awkward store, and how often it looked after a reply that was lost, by what was sent. */
function scene(seed: number) {
  const clock = new TurnedClock();
  const lost = { commit: 0, thread: 0 };
  const memory = new MemoryEventStore({ now: () => clock.now() });
  // Nobody else loads or peeks at threads here: the awkward store does it to learn what became of a write.
  const inner: IEventStore = intercepted(memory, {
    load: (...given) => {
      lost.commit += 1;
      return memory.load(...given);
    },
    peek: (tenant, thread) => {
      if (thread === "main") lost.thread += 1;
      return memory.peek(tenant, thread);
    },
  });
  return { clock, lost, memory, store: new AwkwardEventStore(inner, { seed, now: () => clock.now() }) };
}

/** What the contract kit passes on says something about real databases only as long as this store is as awkward as they are. */
describe("The awkward store keeps the kit honest:", () => {
  for (const seed of [1, 2, 3, 7]) {
    it(`unused positions, late commits, no position told, lost replies (seed ${seed})`, async () => {
      const { clock, lost, memory, store } = scene(seed);
      await store.open(TENANT);
      let late = 0;
      for (let version = 0; version < COMMITS; version++) {
        const outcomes = await store.commit(TENANT, [pending({ id: "a", version })]);
        expect(outcomes).to.have.length(1);
        expect(outcomes[0]).to.include({ status: "committed" }).and.not.have.property("positions");
        const { commits, waiting } = await store.read(TENANT, 0, COMMITS);
        if (waiting === undefined) expect(commits).to.have.length(version + 1);
        else if (commits.length <= version) late += 1;
      }
      expect(late, "reads that did not show what was committed").to.be.above(0);
      expect(lost.commit, "lost replies to commits").to.be.above(0);

      const { commits } = await readAll({ store, clock }, TENANT);
      expect(commits.map(({ version }) => version)).to.deep.equal(Array.from({ length: COMMITS }, (_, version) => version));
      const steps = commits.map(({ position }, index) => position - (commits[index - 1]?.position ?? 0));
      expect(Math.max(...steps), "unused positions").to.be.above(1);

      const seen = (await memory.peek(TENANT, "main")).thread;
      const lease = await store.acquire(TENANT, "main", seen, LEASED_UNTIL);
      expect(lease?.fence).to.equal(seen.fence + 1);
      for (let position = 1; position <= COMMITS; position++) {
        const update = { cursors: { handler: { position } }, leasedUntil: LEASED_UNTIL };
        expect(await store.commitCursors(lease!, update)).to.deep.equal({ status: "committed" });
      }
      expect(lost.thread, "lost replies to cursors").to.be.above(0);
    });
  }
});
