import { expect } from "chai";
import { CommandHandler, Err, StreamReader, type Trace } from "../../core/index.ts";
import { type BreakerChange, EventPublisher, type EventPublisherOptions, type IPublisher } from "../../core/publishing.ts";
import { actorOf } from "../support/actors.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { onEveryStore } from "../support/stores.ts";
import { thrown } from "../support/thrown.ts";

const DOWN = { acknowledged: 0, failed: new Error("connection refused") };

onEveryStore("Publishing", (stage) => {
  function publishing(broker: IPublisher, options: Partial<EventPublisherOptions> = {}) {
    const settings = { aggregates: [Parcel], source: "https://post.example/", platform: stage.clock };
    return [new EventPublisher(broker, { ...settings, ...options })];
  }
  const readerOf = (options = {}) => new StreamReader(stage.store, { platform: stage.clock, aggregates: [Parcel], ...options });

  /** Reads along until every commit has appeared, so that the polls to come find them at once on every store. */
  async function settled(tenant: string) {
    await pollUntilIdle(readerOf(), tenant, "before", [{ name: "nothing", events: {} }]);
    return (await readerOf().read(tenant, 0)).commits.map(({ position }) => position);
  }

  /** Numbers of the events that arrived, by parcel. */
  function arrived(broker: RecordingBroker) {
    const numbers: Record<string, number[]> = {};
    for (const { subject, data } of broker.cloudEvents) {
      const list = numbers[subject] ?? [];
      numbers[subject] = list;
      list.push((data as { number: number }).number);
    }
    return numbers;
  }

  it("makes CloudEvents 1.0 of what a class publishes, in the shape that it declares, and of nothing else", async () => {
    const tenant = stage.newTenant();
    const handler = new CommandHandler(stage.store, [Parcel]);
    const actor = actorOf(tenant);
    const to = { aggregateId: "Zürich/1 §" };
    const packed = await handler.command(
      actor,
      "Pack",
      { numbers: [7, 8], note: "fragile", ...to },
      { commandId: "cmd-1", correlationId: "c-1", causationId: "cause-1" },
    );
    await handler.command(actor, "Weigh", { grams: 5, ...to });
    await handler.command(actor, "Label", { street: "Secret Lane 1", city: "Zürich", ...to });
    await handler.command(actor, "Label", { street: "Secret Lane 1", city: "nowhere", ...to });
    const broker = new RecordingBroker();
    const handled = await pollUntilIdle(readerOf(), tenant, "out", publishing(broker, { typePrefix: "example." }));
    expect(handled).to.equal(4);
    const { commits } = await readerOf().read(tenant, 0);
    const [first, , third] = commits;
    const shared = {
      specversion: "1.0",
      source: `https://post.example/${tenant}/parcels`,
      subject: to.aggregateId,
      datacontenttype: "application/json",
      tenant,
      partitionkey: `${tenant}/parcels/${to.aggregateId}`,
    };
    const of = (commit = first) => ({
      ...shared,
      time: new Date(commit?.at ?? 0).toISOString(),
      position: String(commit?.position),
      version: String(commit?.version),
    });
    const ids = { correlationid: "c-1", causationid: "cause-1" };
    const id = (commitId: string, index: number) => `${shared.partitionkey}/${commitId}/${index}`;
    expect(broker.cloudEvents).to.deep.equal([
      {
        ...of(),
        ...ids,
        id: id(packed.commitId, 0),
        type: "example.Packed",
        dataversion: "0",
        data: { number: 7, note: "fragile" },
      },
      {
        ...of(),
        ...ids,
        id: id(packed.commitId, 1),
        type: "example.Packed",
        dataversion: "0",
        data: { number: 8, note: "fragile" },
      },
      {
        ...of(third),
        id: id(third?.commitId ?? "", 0),
        type: "example.ParcelAddressed",
        dataversion: "2",
        data: { city: "Zürich" },
      },
    ]);
    for (const { json, bytes, cloudEvent } of broker.received) {
      expect(json).not.to.contain("Secret");
      expect(bytes).to.equal(Buffer.byteLength(json));
      // CloudEvents 1.0: names of attributes are lower-case letters and digits; values are no objects, numbers stay below 2^31.
      for (const [name, value] of Object.entries(cloudEvent)) {
        expect(name).to.match(/^[a-z0-9]{1,20}$/);
        if (name !== "data")
          expect(value)
            .to.be.a("string")
            .that.matches(/^[^\p{Cc}]+$/u);
      }
    }
  });

  it("publishes every event once, in order for each aggregate, in calls as large as the broker takes", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a", "b", "c"], 12, 3);
    await settled(tenant);
    const broker = new RecordingBroker({ events: 25 });
    const publishers = publishing(broker);
    await pollUntilIdle(readerOf(), tenant, "out", publishers, { limit: 20 });
    const numbers = Array.from({ length: 36 }, (_, number) => number);
    expect(arrived(broker)).to.deep.equal({ a: numbers, b: numbers, c: numbers });
    expect(new Set(broker.cloudEvents.map(({ id }) => id)).size).to.equal(108);
    expect(Math.max(...broker.calls)).to.equal(25);
    expect(await pollUntilIdle(readerOf(), tenant, "out", publishers)).to.equal(0);
  });

  it("keeps within the bytes of a call, and sends alone what is larger", async () => {
    const tenant = stage.newTenant();
    const handler = new CommandHandler(stage.store, [Parcel]);
    for (const length of [10, 10, 5_000, 10])
      await handler.command(actorOf(tenant), "Pack", { numbers: [length], note: "x".repeat(length), aggregateId: "a" });
    await settled(tenant);
    const broker = new RecordingBroker({ bytes: 2_000 });
    await pollUntilIdle(readerOf(), tenant, "out", publishing(broker));
    expect(broker.calls).to.deep.equal([2, 1, 1]);
    expect(arrived(broker)).to.deep.equal({ a: [10, 10, 5_000, 10] });
  });

  it("stands at the first event that the broker has not acknowledged, also inside a commit, and goes on from there", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a"], 3, 4);
    const broker = new RecordingBroker();
    broker.answer = (events) => (events.length === 12 ? { acknowledged: 6, failed: new Error("cut off") } : DOWN);
    const reader = readerOf();
    const publishers = publishing(broker);
    const positions = await settled(tenant);
    const result = await reader.poll(tenant, "out", publishers);
    expect([result.status, result.handled, result.blocked.length]).to.deep.equal(["progressed", 6, 1]);
    expect(result.blocked[0]).to.deep.include({ handler: "EventPublisher", position: positions[1], index: 2, attempts: 0 });
    expect(result.cursors.EventPublisher).to.be.within(positions[0]!, positions[1]! - 1);
    // Another reader with another publisher, as after a crash: nothing that was acknowledged is sent again.
    broker.answer = undefined;
    stage.clock.turn(result.retryAt! - stage.clock.now());
    await pollUntilIdle(readerOf(), tenant, "out", publishing(broker));
    expect(arrived(broker)).to.deep.equal({ a: Array.from({ length: 12 }, (_, number) => number) });
  });

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
    expect(second.blocked[0]).to.include({ attempts: 0, error: "Error: the circuit breaker is open: the broker failed" });
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

  it("sends again what was acknowledged and not stored when the process died: the same events under the same ids", async () => {
    const tenant = stage.newTenant();
    await pack(stage.store, tenant, ["a"], 4);
    await settled(tenant);
    const broker = new RecordingBroker();
    // The lease is lost during the call, as if the process had stood still: its progress cannot be stored.
    broker.answer = async (events) => {
      broker.answer = undefined;
      stage.clock.turn(60_000);
      await pollUntilIdle(readerOf(), tenant, "out", publishing(broker));
      return { acknowledged: events.length };
    };
    expect((await readerOf().poll(tenant, "out", publishing(broker))).status).to.equal("leased");
    expect(arrived(broker)).to.deep.equal({ a: [0, 1, 2, 3, 0, 1, 2, 3] });
    expect(new Set(broker.cloudEvents.map(({ id }) => id)).size).to.equal(4);
  });
});

describe("An event publisher", () => {
  const settings = { aggregates: [Parcel], source: "urn:x" };

  it("says what is wrong with its options", () => {
    const broker = new RecordingBroker();
    const wrong = (options: object, by: unknown = broker) =>
      thrown(Err, () => new EventPublisher(by as IPublisher, options as EventPublisherOptions)).message;
    class Silent extends Parcel {
      static override readonly publish = { Packed: false };
    }
    class Unknown extends Parcel {
      static override readonly publish = { Lost: true } as object;
    }
    class Odd extends Parcel {
      static override readonly publish = { Packed: { data: 7 } } as object;
    }
    expect(wrong(settings, {})).to.contain("publisher");
    expect(wrong({})).to.contain("aggregates");
    expect(wrong({ aggregates: [Parcel] })).to.contain("source");
    expect(wrong({ ...settings, source: "a b" })).to.contain("source");
    expect(wrong({ ...settings, typePrefix: " " })).to.contain("typePrefix");
    expect(wrong({ ...settings, name: "a/b" })).to.contain("name");
    expect(wrong({ ...settings, deadline: 0 })).to.contain("deadline");
    expect(wrong({ ...settings, breaker: { of: "me" } })).to.contain("breaker.of");
    expect(wrong({ ...settings, breaker: { failures: 0 } })).to.contain("failures");
    expect(wrong({ ...settings, aggregates: [Silent] })).to.contain("publish something");
    expect(wrong({ ...settings, aggregates: [Unknown] })).to.contain("Unknown.publish.Lost");
    expect(wrong({ ...settings, aggregates: [Odd] })).to.contain("Odd.publish.Packed.data");
    expect(broker.calls).to.deep.equal([]);
  });

  it("gives up on a broker that does not answer, and tells it so", async () => {
    const { batch, signals } = silent();
    const { finished, retryAt, error } = await batch();
    expect([finished, (error as Error).message]).to.deep.equal([0, "no answer within 20 ms"]);
    expect(retryAt).to.be.above(Date.now());
    expect(signals.map(({ aborted }) => aborted)).to.deep.equal([true]);
  });

  it("takes an answer that makes no sense for a failure, and a shape that throws for the event's own", async () => {
    const broker = new RecordingBroker();
    broker.answer = () => ({ acknowledged: 0 });
    expect((await oneBatch(new EventPublisher(broker, settings))).retryAt).to.be.a("number");
    class Throwing extends Parcel {
      static override readonly publish = {
        Packed: {
          data: () => {
            throw new Error("cannot");
          },
        },
      };
    }
    const result = await oneBatch(new EventPublisher(broker, { ...settings, aggregates: [Throwing] }));
    expect([result.finished, (result.error as Error).message, result.retryAt]).to.deep.equal([0, "cannot", undefined]);
    class Undated extends Parcel {
      static override readonly publish = { Packed: { data: () => ({ at: new Date() }) } };
    }
    const undated = await oneBatch(new EventPublisher(broker, { ...settings, aggregates: [Undated] }));
    expect((undated.error as Error).message).to.match(/^data\.at/);
  });

  it("traces each call and each change of the breaker", async () => {
    const traces: Trace[] = [];
    const broker = new RecordingBroker();
    const tracer = { trace: (make: () => Trace) => void traces.push(make()) };
    const publisher = new EventPublisher(broker, { ...settings, tracer, breaker: { failures: 1 } });
    await oneBatch(publisher);
    broker.answer = () => DOWN;
    await oneBatch(publisher);
    expect(traces.map(({ method, acknowledged, state }) => [method, acknowledged ?? state])).to.deep.equal([
      ["publish", 1],
      ["publish", 0],
      ["breaker", "open"],
    ]);
  });

  const commit = {
    ...{ tenant: "t", type: "parcels", id: "a", version: 0, position: 1, commitId: "c".repeat(21), command: "Pack", at: 0 },
    actor: { id: "ada", name: "ada" },
    events: [{ name: "Packed", payload: { number: 1, note: "" }, schemaVersion: 0 }],
  };
  const oneBatch = (publisher: EventPublisher) => publisher.batch("t", [{ event: commit.events[0]!, commit, index: 0 }]);

  function silent() {
    const signals: { readonly aborted: boolean }[] = [];
    const broker: IPublisher = {
      limits: { events: 10, bytes: 1_000_000 },
      publish: (_events, signal) => {
        signals.push(signal);
        return new Promise(() => {});
      },
    };
    const publisher = new EventPublisher(broker, { ...settings, deadline: 20 });
    return { signals, batch: () => oneBatch(publisher) };
  }
});
