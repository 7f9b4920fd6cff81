import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import type { IEventStore } from "../../core/index.ts";
import { FairQueue } from "../../functions/fair-queue.ts";
import { Refusal } from "../../functions/problem.ts";
import { remembering } from "../../functions/token-memory.ts";
import { type Backend, startBackend, tokenOf } from "../support/functions-backend.ts";
import { type Gate, gate } from "../support/gate.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { rejects } from "../support/rejects.ts";

describe("fairness between tenants", () => {
  it("works on so many commands of a tenant at once, in the order in which they came", async () => {
    const queue = new FairQueue({ atOnce: 2, waiting: 10 });
    const gates: Gate[] = Array.from({ length: 5 }, gate);
    const begun: number[] = [];
    const done = gates.map(({ passed }, index) =>
      queue.run("noisy", 1, async () => {
        begun.push(index);
        await passed;
        return index;
      }),
    );
    await settled();
    expect(begun).to.deep.equal([0, 1]);
    expect(await queue.run("quiet", 1, async () => "at once"), "another tenant waits for nobody").to.equal("at once");
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
    const failing = queue.run("noisy", 1, () => first.passed.then(() => Promise.reject(new TypeError("it fails"))));
    const second = queue.run("noisy", 1, async () => "second");
    const { code, headers } = await rejects(
      Refusal,
      queue.run("noisy", 1, async () => "third"),
    );
    expect([code, headers["retry-after"]]).to.deep.equal(["rate_limited", "1"]);
    first.open();
    await rejects(TypeError, failing);
    expect(await second).to.equal("second");
    expect(await queue.run("noisy", 1, async () => "later")).to.equal("later");
  });

  it("bounds the bytes that wait, of a tenant and of all together, and gives them back", async () => {
    const queue = new FairQueue({ atOnce: 1, waitingBytes: 100, waitingBytesOfAll: 150 });
    const held = gate();
    const send = (tenant: string, bytes: number) => queue.run(tenant, bytes, () => held.passed);
    const refused = async (tenant: string, bytes: number) => (await rejects(Refusal, send(tenant, bytes))).code;
    const sent = [send("a", 1_000), send("b", 1_000), send("a", 60), send("a", 40)];
    expect(await refused("a", 1), "a's own bound").to.equal("rate_limited");
    sent.push(send("b", 50));
    expect(await refused("b", 1), "the bound of all").to.equal("rate_limited");
    sent.push(send("quiet", 1_000));
    held.open();
    await Promise.all(sent);
    const again = gate();
    const first = queue.run("a", 1, () => again.passed);
    const second = send("a", 100);
    again.open();
    await Promise.all([first, second]);
  });

  describe("of a backend", () => {
    let held: Gate;
    let inWork: number;
    let store: IEventStore;

    beforeEach(() => {
      const inner = new MemoryEventStore();
      held = gate();
      inWork = 0;
      store = intercepted(inner, {
        load: async (address, options) => {
          if (address.tenant === "noisy") {
            inWork++;
            await held.passed;
          }
          return inner.load(address, options);
        },
      });
    });

    it("lets the noisy tenant's commands wait, while the quiet one's are answered", async () => {
      const backend = await startBackend({ store, fairShare: { atOnce: 3, waiting: 4 } });
      const statuses = await flood(backend, { number1: 1, number2: 1 });
      expect(statuses.sort()).to.deep.equal([200, 200, 200, 200, 200, 200, 200, 429, 429, 429]);
    });

    it("refuses long before so many have come, where they are long", async () => {
      const long = "x".repeat(1_000);
      const backend = await startBackend({ store, fairShare: { atOnce: 3, waitingBytes: 4 * 1_100 } });
      const statuses = await flood(backend, { number1: 1, number2: 1, long });
      expect(statuses.sort()).to.deep.equal([200, 200, 200, 200, 200, 200, 200, 429, 429, 429]);
    });

    /** Ten commands of the noisy tenant while nothing of it can be finished; three are in work, and three are refused. */
    const flood = async (backend: Backend, data: object): Promise<number[]> => {
      const noisy = await tokenOf({ tenant: "noisy" });
      let refused = 0;
      const sent = Array.from({ length: 10 }, async (_, index) => {
        const { status } = await backend.command("AddNumbers", { aggregateId: `calc${index}`, ...data }, {}, noisy);
        if (status === 429) refused++;
        return status;
      });
      while (refused < 3) await settled();
      expect(inWork).to.equal(3);
      const quiet = await tokenOf({ tenant: "quiet" });
      expect((await backend.command("AddNumbers", { aggregateId: "calc1", ...data }, {}, quiet)).status).to.equal(200);
      held.open();
      const statuses = await Promise.all(sent);
      await backend.close();
      return statuses;
    };
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

describe("the memory of tokens that are verified closer for some commands", () => {
  it("asks for each command, and tells the verifier which", async () => {
    const asked: (string | undefined)[] = [];
    const verify = remembering(async (_token, command) => {
      asked.push(command);
      if (command === "Withdraw") throw new TypeError("it was revoked");
      return { exp: Date.now() / 1_000 + 90 };
    });
    await verify("token");
    await verify("token", "Deposit");
    await rejects(TypeError, verify("token", "Withdraw"));
    await Promise.all([verify("token"), verify("token", "Deposit")]);
    expect(asked).to.deep.equal([undefined, "Deposit", "Withdraw"]);
  });
});

/** A turn of the event loop, in which everything that can go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
