import { expect } from "chai";
import type { IEventStore, PendingCommit } from "../../core/index.ts";
import { pending, receiptOf, TYPE } from "../contract/pending.ts";
import { readAll } from "../contract/reading.ts";
import { commits, expectStatus, grow, send } from "../contract/writing.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import type { DynamoDbTable } from "../support/dynamodb-store.ts";
import { gate } from "../support/gate.ts";
import { openBeforeEach } from "../support/opened-table.ts";
import { overridden } from "../support/overridden-document.ts";
import { TurnedClock } from "../support/turned-clock.ts";

const TENANT = "t";
const GRACE_MS = 15_000;

if (hasDynamoDb()) {
  describe("commits that come late, or never, to their places in DynamoDB", function () {
    this.timeout(60_000);
    const clock = new TurnedClock();
    const now = () => clock.now();
    let table: DynamoDbTable;
    let store: IEventStore;

    openBeforeEach(TENANT, clock, (opened) => {
      ({ table, store } = opened);
    });

    const orderOf = async () => (await readAll({ store, clock }, TENANT)).commits;

    /** Sends a commit whose write is held up until it is let go. */
    function held(commit: PendingCommit) {
      const sending = gate();
      const answering = gate();
      const slow = table.store({ now }, (document) => {
        const wait = async () => {
          sending.open();
          await answering.passed;
        };
        return overridden(document, {
          put: (input) => wait().then(() => document.put(input)),
          transactWrite: (input) => wait().then(() => document.transactWrite(input)),
        });
      });
      return { outcome: send(slow, TENANT, commit), isWriting: sending.passed, letGo: answering.open };
    }

    for (const [what, facts] of [
      ["a lone commit", {}],
      ["one with a receipt", { receipt: receiptOf("k", "a", 0) }],
      ["one that verified another", { verified: [{ type: TYPE, id: "b", version: -1 }] }],
    ] as const) {
      it(`give ${what} that comes after its seal a new place, once, and readers go on meanwhile`, async () => {
        const late = pending({ id: "a", version: 0 }, facts);
        const { outcome, isWriting, letGo } = held(late);
        await isWriting;
        await grow(store, TENANT, "c", 3);
        const first = await store.read(TENANT, 0, 100);
        expect(first.commits).to.deep.equal([]);
        expect(first.waiting?.position).to.be.above(first.next);
        expect((await store.read(TENANT, 0, 100, first.waiting)).waiting).to.deep.equal(first.waiting);
        clock.turn(GRACE_MS);
        expect((await store.read(TENANT, 0, 100, first.waiting)).commits.map(({ id }) => id)).to.deep.equal(["c", "c", "c"]);
        letGo();
        expectStatus(await outcome, "committed");
        const order = await orderOf();
        expect(order.map(({ id }) => id)).to.deep.equal(["c", "c", "c", "a"]);
        expect(order.at(-1)?.commitId).to.equal(late.commitId);
      });
    }

    it("tell the second of two writers with tickets for one version of its conflict, and void its place", async () => {
      const { outcome, isWriting, letGo } = held(pending({ id: "a", version: 0 }));
      await isWriting;
      const winner = await commits(store, TENANT, pending({ id: "a", version: 0 }));
      expect((await orderOf()).map(({ commitId }) => commitId)).to.deep.equal([winner.commitId]);
      letGo();
      expect(expectStatus(await outcome, "conflict").actual).to.equal(0);
      expect((await orderOf()).map(({ commitId }) => commitId)).to.deep.equal([winner.commitId]);
    });

    it("seal all that dead writers left after one grace time", async () => {
      for (let n = 0; n < 5; n++) void held(pending({ id: `dead${n}`, version: 0 })).outcome;
      const { isWriting } = held(pending({ id: "dead", version: 0 }));
      await isWriting;
      await commits(store, TENANT, pending({ id: "alive", version: 0 }));
      const { waiting } = await store.read(TENANT, 0, 100);
      clock.turn(GRACE_MS);
      const read = await store.read(TENANT, 0, 100, waiting);
      expect(read.commits.map(({ id }) => id)).to.deep.equal(["alive"]);
      expect(read.waiting).to.equal(undefined);
    });
  });
}
