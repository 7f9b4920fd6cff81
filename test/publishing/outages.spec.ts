import { expect } from "chai";
import type { BreakerChange } from "../../core/publishing.ts";
import { pack } from "../support/parcels.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { arrived, publishingOn } from "../support/publishing-stage.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { onEveryStore } from "../support/stores.ts";

const DOWN = { acknowledged: 0, failed: new Error("connection refused") };

onEveryStore("Publishing to a broker that is away, or refuses,", (stage) => {
  const { publishing, readerOf, settled } = publishingOn(stage);

  it("waits while the broker is away: no attempt is counted, nothing is parked, and nothing is lost", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a", "b"], 5);
    const [first] = await settled(tenant);
    const broker = new RecordingBroker();
    broker.answer = () => DOWN;
    const changes: BreakerChange[] = [];
    const breaker = { failures: 3, firstDelay: 1_000, longestDelay: 8_000 };
    const publishers = publishing(broker, { breaker, onBreaker: (change) => changes.push(change) });
    const reader = readerOf({ retries: 2, onError: "park" });
    for (let round = 0; round < 40; round++) {
      const result = await reader.poll(tenant, "out", publishers);
      expect([result.status, result.handled]).to.deep.equal(["blocked", 0]);
      expect(result.cursors.EventPublisher).to.be.below(first!);
      expect([result.blocked[0]?.attempts, result.blocked[0]?.halted, result.blocked[0]?.error]).to.deep.equal([
        0,
        false,
        "Error: connection refused",
      ]);
      stage.clock.turn(result.retryAt! - stage.clock.now());
    }
    expect((await reader.parked(tenant, "out")).parked).to.deep.equal([]);
    expect(changes.slice(0, 3).map(({ state, failures }) => [state, failures])).to.deep.equal([
      ["open", 3],
      ["half-open", 3],
      ["open", 4],
    ]);
    broker.answer = undefined;
    await pollUntilIdle(reader, tenant, "out", publishers);
    expect(changes.at(-1)?.state).to.equal("closed");
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 2, 3, 4], b: [0, 1, 2, 3, 4] });
  });

  it("calls nobody while the breaker is open, for other tenants neither", async () => {
    const [one, other] = [stage.newTenant(), stage.newTenant()];
    for (const tenant of [one, other]) {
      await pack(stage.store, tenant, ["a"], 1);
      await settled(tenant);
    }
    const broker = new RecordingBroker();
    broker.answer = () => DOWN;
    const publishers = publishing(broker, { breaker: { failures: 1, firstDelay: 60_000 } });
    const first = await readerOf().poll(one, "out", publishers);
    const second = await readerOf().poll(other, "out", publishers);
    expect(broker.calls).to.have.length(1);
    expect(second.blocked[0]).to.include({
      attempts: 0,
      error: "Error: the circuit breaker is open because the broker failed: it is called again at retryAt",
    });
    expect(second.retryAt).to.be.at.least(first.retryAt!);
    // With a breaker for each tenant, the other one is not concerned.
    const apart = publishing(broker, { breaker: { failures: 1, firstDelay: 60_000, of: "tenant" }, name: "Apart" });
    await readerOf().poll(one, "apart", apart);
    broker.answer = undefined;
    await pollUntilIdle(readerOf(), other, "apart", apart);
    expect(arrived(broker)).to.deep.equal({ a: [0] });
  });

  it("parks an event that the broker refuses for its own sake, after the policy's retries, and goes on", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a"], 2, 3);
    await settled(tenant);
    const broker = new RecordingBroker();
    const isPoison = ({ json }: { json: string }) => json.includes('"number":4');
    broker.answer = (events) => {
      const place = events.findIndex(isPoison);
      return place < 0 ? { acknowledged: events.length } : { acknowledged: place, refused: new Error("too large") };
    };
    const changes: BreakerChange[] = [];
    const publishers = publishing(broker, { onBreaker: (change) => changes.push(change) });
    const reader = readerOf({ retries: 2, firstDelay: 10, onError: "park" });
    for (const attempts of [1, 2]) {
      const result = await reader.poll(tenant, "out", publishers);
      expect([result.blocked[0]?.attempts, result.blocked[0]?.index]).to.deep.equal([attempts, 1]);
      stage.clock.turn(1_000);
    }
    await pollUntilIdle(reader, tenant, "out", publishers);
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 2, 3, 5] });
    const { parked } = await reader.parked(tenant, "out");
    expect(parked.map(({ event, index, attempts, error }) => [event, index, attempts, error])).to.deep.equal([
      ["Packed", 1, 3, "Error: too large"],
    ]);
    expect(changes).to.deep.equal([]);
    broker.answer = undefined;
    expect(await reader.retryParked(tenant, "out", publishers[0]!)).to.deep.equal({ retried: 1, failed: 0, waiting: 0 });
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 2, 3, 5, 4] });
  });

  it("finds the one event for which the broker refused a whole call", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a"], 6);
    await settled(tenant);
    const broker = new RecordingBroker();
    broker.answer = (events) =>
      events.some(({ json }) => json.includes('"number":2'))
        ? { acknowledged: 0, refused: new Error("too large") }
        : { acknowledged: events.length };
    await pollUntilIdle(readerOf({ retries: 0, onError: "park" }), tenant, "out", publishing(broker));
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 3, 4, 5] });
    expect(broker.calls).to.deep.equal([6, 1, 1, 1, 3]);
  });

  it("keeps an aggregate's order behind a parked event where the policy asks for it, while the others go on", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a", "b"], 3);
    await settled(tenant);
    const broker = new RecordingBroker();
    broker.answer = (events) => {
      const place = events.findIndex(({ cloudEvent, json }) => cloudEvent.subject === "a" && json.includes('"number":1'));
      return place < 0 ? { acknowledged: events.length } : { acknowledged: place, refused: new Error("too large") };
    };
    const publishers = publishing(broker);
    const reader = readerOf({ retries: 0, onError: "park", park: "aggregate" });
    await pollUntilIdle(reader, tenant, "out", publishers);
    expect(arrived(broker)).to.deep.equal({ a: [0], b: [0, 1, 2] });
    await pack(stage.store, tenant, ["a", "b"], 1, 1, 3);
    await pollUntilIdle(reader, tenant, "out", publishers);
    expect(arrived(broker)).to.deep.equal({ a: [0], b: [0, 1, 2, 3] });
    broker.answer = undefined;
    await reader.retryParked(tenant, "out", publishers[0]!);
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 2, 3], b: [0, 1, 2, 3] });
  });
});
