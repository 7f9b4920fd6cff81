import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EventOf,
  encode,
  LIMITS,
  ValidationError,
} from "../../core/index.ts";
import { exportAll, stream } from "../contract/reading.ts";
import { actorOf } from "../support/actors.ts";
import { rejects } from "../support/rejects.ts";

/** Remembers how long its texts are; the name of its event takes more bytes than letters. */
class Shelf extends Aggregate<{ "Gefüllt mit “Büchern”": { text: string } }> {
  static readonly path = "/shelves";
  static readonly access = "tenant";
  lengths: number[] = [];
  get commands() {
    return {
      /** Pushes 63 small events and then the largest that is taken. */
      Fill: (context: CommandContext<Shelf>) => {
        const push = (length: number) => context.push("Gefüllt mit “Büchern”", { text: "x".repeat(length) }, 1_000_000);
        for (let count = 1; count < LIMITS.events; count++) push(1);
        for (let length = LIMITS.commitBytes - encode(context.events).bytes; ; length--) {
          try {
            return push(length);
          } catch (error) {
            if (!(error instanceof ValidationError)) throw error;
          }
        }
      },
    };
  }
  get events() {
    return {
      "Gefüllt mit “Büchern”": ({ payload }: EventOf<Shelf, "Gefüllt mit “Büchern”">) =>
        void this.lengths.push(payload.text.length),
    };
  }
}

describe("The bytes of a commit", () => {
  const actor = actorOf("t");

  async function filled() {
    const store = new MemoryEventStore();
    const handler = new CommandHandler(store, [Shelf]);
    const { aggregate, events } = await handler.command(actor, "Fill", { aggregateId: "s" });
    return { store, handler, aggregate, events };
  }

  it("are not used up by an event that was refused", async () => {
    const { aggregate, events } = await filled();
    expect([aggregate.lengths.length, events.length]).to.deep.equal([LIMITS.events, LIMITS.events]);
    expect(encode(events).bytes).to.be.within(LIMITS.commitBytes - 100, LIMITS.commitBytes);
  });

  it("are within what an import takes, up to the last one", async () => {
    const { store } = await filled();
    const records = await exportAll(store, "t");
    await store.import("copy", stream(records));
    expect(await exportAll(store, "copy")).to.deep.equal([{ ...records[0]!, tenant: "copy" }, ...records.slice(1)]);
  });

  it("are within it after a redaction too, which else is refused", async () => {
    const { store, handler } = await filled();
    const text = "x".repeat(LIMITS.commitBytes / LIMITS.events - '{"text":""}'.length);
    const error = await rejects(
      ValidationError,
      handler.redact("t", Shelf, "s", () => ({ text })),
    );
    expect(error.message).to.match(/^redacted: has \d+ bytes: keep a commit within 262144$/);
    await handler.redact("t", Shelf, "s", ({ payload }) => payload as { text: string });
    await store.import("copy", stream(await exportAll(store, "t")));
  });
});
