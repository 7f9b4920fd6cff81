import { expect } from "chai";
import { StreamReader } from "../../core/index.ts";
import { readAll } from "../contract/reading.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollDuring, pollUntilIdle } from "../support/poll-until-idle.ts";
import { onEveryStore } from "../support/stores.ts";
import { calculatorsOn, listener } from "./listener.ts";

onEveryStore("Seed 1 (the parent), what it never delivered,", (stage) => {
  const { handlerOf, readerOf, add } = calculatorsOn(stage);

  it("2: never delivered the second of two commits in the same millisecond at the same version", async () => {
    const tenant = stage.newTenant();
    const frozen = Object.assign(Object.create(stage.clock), { now: () => 1_700_000_000_000 }) as typeof stage.clock;
    const handler = handlerOf(frozen);
    await Promise.all(["a", "b", "c", "d"].map((id) => add(handler, tenant, id)));
    const heard = listener("heard");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect([...heard.seen].sort()).to.deep.equal(["a/0", "b/0", "c/0", "d/0"]);
  });

  it("3: never delivered a commit of a machine whose clock was slow", async () => {
    const tenant = stage.newTenant();
    const slow = Object.assign(Object.create(stage.clock), { now: () => 1_000_000_000_000 }) as typeof stage.clock;
    const heard = listener("heard");
    await add(handlerOf(), tenant, "a");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    await add(handlerOf(slow), tenant, "b");
    await add(handlerOf(slow), tenant, "a");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect(heard.seen).to.deep.equal(["a/0", "b/0", "a/1"]);
  });

  it("3: never delivered a commit that became visible late: here four writers write while a reader reads", async () => {
    const tenant = stage.newTenant();
    const heard = listener("heard");
    const reader = readerOf();
    const writing = ["a", "b", "c", "d"].map(async (id) => {
      const handler = handlerOf();
      for (let count = 0; count < 25; count++) await add(handler, tenant, id);
    });
    await pollDuring(Promise.all(writing), () => reader.poll(tenant, "thread", [heard], { limit: 3 }));
    await pollUntilIdle(reader, tenant, "thread", [heard], { limit: 3 });
    expect(heard.seen).to.have.length(100);
    for (const id of ["a", "b", "c", "d"]) {
      const own = heard.seen.filter((commit) => commit.startsWith(`${id}/`));
      expect(own).to.deep.equal(Array.from({ length: 25 }, (_, version) => `${id}/${version}`));
    }
    const { commits } = await readAll(stage, tenant);
    expect(heard.seen).to.deep.equal(commits.map(({ id, version }) => `${id}/${version}`));
  });

  it("12: could not reach unread events of last year after New Year", async () => {
    const tenant = stage.newTenant();
    const at = (date: string) =>
      handlerOf(Object.assign(Object.create(stage.clock), { now: () => Date.parse(date) }) as typeof stage.clock);
    for (const date of ["2023-12-31T23:59:59.999Z", "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"])
      await add(at(date), tenant, "a");
    const heard = listener("heard");
    await pollUntilIdle(readerOf(), tenant, "thread", [heard]);
    expect(heard.seen).to.deep.equal(["a/0", "a/1", "a/2"]);
  });

  it("13: read without bounds", async () => {
    const tenant = stage.newTenant();
    const handler = handlerOf();
    for (let count = 0; count < 12; count++) await add(handler, tenant, "a");
    const limits: number[] = [];
    const watched = intercepted(stage.store, {
      read: (of, after, limit, waiting) => {
        limits.push(limit);
        return stage.store.read(of, after, limit, waiting);
      },
    });
    const heard = listener("heard");
    const reader = new StreamReader(watched, { platform: stage.clock });
    for (let before = 0; ; before = heard.seen.length) {
      const { status } = await reader.poll(tenant, "thread", [heard], { limit: 5 });
      expect(heard.seen.length - before).to.be.at.most(5);
      if (status === "idle") break;
    }
    expect(heard.seen).to.have.length(12);
    expect(Math.max(...limits)).to.equal(5);
    await reader.poll(tenant, "other", [heard]);
    expect(limits.at(-1)).to.equal(100);
  });
});
