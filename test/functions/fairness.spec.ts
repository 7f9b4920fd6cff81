import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { FairQueue } from "../../functions/fair-queue.ts";
import { Refusal } from "../../functions/problem.ts";
import { remembering } from "../../functions/token-memory.ts";
import { startBackend, tokenOf } from "../support/functions-backend.ts";
import { type Gate, gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

describe("fairness between tenants", () => {
  it("works on so many commands of a tenant at once, in the order in which they came", async () => {
    const queue = new FairQueue({ atOnce: 2, waiting: 10 });
    const gates: Gate[] = Array.from({ length: 5 }, gate);
    const begun: number[] = [];
    const done = gates.map(({ passed }, index) =>
      queue.run("noisy", async () => {
        begun.push(index);
        await passed;
        return index;
      }),
    );
    await settled();
    expect(begun).to.deep.equal([0, 1]);
    expect(await queue.run("quiet", async () => "at once"), "another tenant waits for nobody").to.equal("at once");
    gates[1]?.open();
    await done[1];
    await settled();
    expect(begun).to.deep.equal([0, 1, 2]);
    for (const { open } of gates) open();
    expect(await Promise.all(done)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(begun).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it("lets the next one in after a failure, and refuses beyond the waiting ones", async () => {
    const queue = new FairQueue({ atOnce: 1, waiting: 1 });
    const first = gate();
    const failing = queue.run("noisy", () => first.passed.then(() => Promise.reject(new TypeError("it fails"))));
    const second = queue.run("noisy", async () => "second");
    const { code, headers } = await rejects(
      Refusal,
      queue.run("noisy", async () => "third"),
    );
    expect([code, headers["retry-after"]]).to.deep.equal(["rate_limited", "1"]);
    first.open();
    await rejects(TypeError, failing);
    expect(await second).to.equal("second");
    expect(await queue.run("noisy", async () => "later")).to.equal("later");
  });

  it("holds for the commands of a backend: the noisy tenant's wait, the quiet one's are answered", async () => {
    const inner = new MemoryEventStore();
    const held = gate();
    let inWork = 0;
    const store = intercepted(inner, {
      load: async (address, options) => {
        if (address.tenant === "noisy") {
          inWork++;
          await held.passed;
        }
        return inner.load(address, options);
      },
    });
    const backend = await startBackend({ store, fairShare: { atOnce: 3, waiting: 4 } });
    const noisy = await tokenOf({ tenant: "noisy" });
    const add = (aggregateId: string, token: string) =>
      backend.command("AddNumbers", { aggregateId, number1: 1, number2: 1 }, {}, token);
    const refused: number[] = [];
    const sent = Array.from({ length: 10 }, async (_, index) => {
      const { status } = await add(`calc${index}`, noisy);
      if (status === 429) refused.push(index);
      return status;
    });
    while (refused.length < 3) await settled();
    expect(inWork).to.equal(3);
    expect((await add("calc1", await tokenOf({ tenant: "quiet" }))).status).to.equal(200);
    held.open();
    expect((await Promise.all(sent)).sort()).to.deep.equal([200, 200, 200, 200, 200, 200, 200, 429, 429, 429]);
    await backend.close();
  });
});

describe("the memory of verified tokens", () => {
  it("verifies a token once a minute, and never lets it outlive its end", async () => {
    let verified = 0;
    let now = 1_000_000_000;
    const verify = remembering(
      async (token) => {
        verified++;
        if (token === "bad") throw new TypeError("it is not signed");
        return { sub: token, ...(token !== "endless" && { exp: now / 1_000 + 90 }) };
      },
      () => now,
    );
    expect(await verify("a")).to.include({ sub: "a" });
    expect(await verify("b")).to.include({ sub: "b" });
    expect(await verify("a")).to.include({ sub: "a" });
    expect(verified).to.equal(2);
    now += 60_000;
    const end = (await verify("a")).exp as number;
    expect(verified).to.equal(3);
    now = end * 1_000 - 59_000;
    await verify("a");
    now = end * 1_000;
    const before = verified;
    await verify("a");
    expect(verified, "at its end it is asked again").to.equal(before + 1);
    for (const token of ["bad", "bad", "endless", "endless"]) await verify(token).catch(() => {});
    expect(verified, "what is refused, and what never ends, is not remembered").to.equal(before + 5);
  });
});

/** A turn of the event loop, in which everything that can go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
