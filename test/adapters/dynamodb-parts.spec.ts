import { expect } from "chai";
import { DynamoDbEventStore, type IDocument } from "../../adapters/dynamodb/index.ts";
import type { Lease } from "../../core/index.ts";
import { exportAll, stream } from "../contract/reading.ts";
import { grow, hold } from "../contract/writing.ts";
import { type Applying, DynamoDbModel } from "../support/dynamodb-model.ts";
import { overridden } from "../support/overridden-document.ts";

const OPTIONS = { table: "model" };

/** A table on which the next transaction that puts an item of a kind shows one of its parts, and the others when an erasure has come to the commits. */
class PartlyVisible {
  readonly model = new DynamoDbModel();
  readonly store = this.#through({ transactWrite: (input) => this.#erasing(input) });
  #applying: Applying | undefined;

  /** A store whose next transaction with an item under `prefix` shows only the part under `first`; nobody hears of it. */
  reader(prefix: string, first: string): DynamoDbEventStore {
    return this.#through({
      transactWrite: async (input) => {
        const isMeant = input.TransactItems.some(({ Put }) => String(Put?.Item.pk).startsWith(prefix));
        if (!isMeant || this.#applying !== undefined) return this.model.direct().transactWrite(input);
        this.#applying = this.model.begin(input);
        this.model.apply(
          this.#applying,
          this.#applying.left.findIndex(({ key }) => key.startsWith(first)),
        );
        return {};
      },
    });
  }

  get texts(): string {
    return JSON.stringify([...this.model.items]);
  }

  #through(methods: Partial<IDocument>): DynamoDbEventStore {
    return new DynamoDbEventStore(overridden(this.model.direct(), methods), OPTIONS);
  }

  async #erasing(input: Parameters<IDocument["transactWrite"]>[0]): ReturnType<IDocument["transactWrite"]> {
    const isAtCommits = input.TransactItems.some(({ Put }) => Put?.Item.sealed !== undefined);
    while (isAtCommits && this.#applying !== undefined && this.#applying.left.length > 0) this.model.apply(this.#applying, 0);
    return this.model.direct().transactWrite(input);
  }
}

describe("an erasure in DynamoDB while a reader's transaction becomes visible part by part", () => {
  it("leaves none of its views, though the thread was visible first", async () => {
    const table = new PartlyVisible();
    await table.store.open("t");
    await grow(table.store, "t", "a", 2);
    const lease = await hold(table.store, "t", "main");
    const reader = table.reader("T#t#V#sums", "T#t#H");
    await reader.commitCursors(lease, {
      cursors: { H: { position: 2, collection: "sums" } },
      claims: [{ collection: "sums", handler: "H" }],
      views: [{ collection: "sums", id: "x", value: { secret: "kept-between-us" } }],
      park: [{ handler: "H", position: 1, index: 0, event: "E", attempts: 1, error: "kept-between-us", parkedAt: 1 }],
      leasedUntil: 0,
    });
    await table.store.erase("t");
    expect(table.texts).to.include('"status":"erased"').and.not.include("kept-between-us").and.not.include("#O");
  });

  it("lets nobody who leased a thread that was being made into the name's next life", async () => {
    const table = new PartlyVisible();
    await table.store.open("t");
    await grow(table.store, "t", "a", 2);
    const backup = await exportAll(table.store, "t");
    const reader = table.reader("T#t#H", "T#t#L");
    const { thread } = await reader.peek("t", "main");
    const late = (await reader.acquire("t", "main", thread, Date.now() + 60_000)) as Lease;
    await table.store.erase("t");
    await table.store.import("t", stream(backup));
    expect(await reader.commitCursors(late, { cursors: { H: { position: 2 } }, leasedUntil: 0 })).to.deep.equal({
      status: "fenced",
    });
    expect((await hold(table.store, "t", "main")).fence).to.be.above(late.fence);
  });
});
