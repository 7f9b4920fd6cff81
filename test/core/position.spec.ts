import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { CommandHandler, Err } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { Actress, type Script, scene } from "../support/actress.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

const actor = actorOf("t");

describe("The position of a command", () => {
  it("refuses to tell the position before the commit", async () => {
    const { act } = scene();
    const asked = act(async (during) => void (await during.position()), { aggregateId: "vivien" });
    expect((await rejects(Err, asked)).message).to.equal("the position is known only after the command: await the command first");
  });

  it("tells the position by which everything that the command wrote can be waited for", async () => {
    const inner = new MemoryEventStore();
    const silent = intercepted(inner, {
      commit: async (tenant, pending) => (await inner.commit(tenant, pending)).map(() => ({ status: "committed" as const })),
    });
    for (const store of [inner, silent]) {
      const handler = new CommandHandler(store, [Actress]);
      const act = (does: Script) => {
        Actress.script = does;
        return handler.command(actor, "Act", { line: "ay" });
      };
      const both = await act(async (during) => {
        during.push("Said");
        await during.append(Actress, "olivia", "Left", {});
      });
      const { commits } = await inner.read("t", 0, 100);
      expect(commits.slice(-2).map(({ id }) => id)).to.deep.equal([both.aggregateId, "olivia"]);
      expect(await both.position()).to.equal(commits.at(-1)?.position);
      const other = await act(async (during) => {
        await during.append(Actress, "olivia", "Left", {});
      });
      expect(await other.position()).to.equal((await inner.read("t", 0, 100)).commits.at(-1)?.position);
      expect(other.aggregate.aggregateVersion).to.equal(-1);
    }
  });

  it("asks the store for the position where the store did not tell it", async () => {
    const inner = new MemoryEventStore();
    const silent = intercepted(inner, {
      commit: async (tenant, pending) => {
        const outcomes = await inner.commit(tenant, pending);
        return outcomes.map((outcome) => (outcome.status === "committed" ? { status: "committed" as const } : outcome));
      },
    });
    const handler = new CommandHandler(silent, [Actress]);
    Actress.script = (during) => during.push("Said");
    await handler.command(actor, "Act", { line: "" });
    expect(await (await handler.command(actor, "Act", { line: "" })).position()).to.equal(2);
  });
});
