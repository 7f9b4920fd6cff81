import { expect } from "chai";
import { Err, type Trace } from "../../core/index.ts";
import { EventPublisher, type EventPublisherOptions, type IPublisher } from "../../core/publishing.ts";
import { Parcel } from "../support/parcels.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { thrown } from "../support/thrown.ts";

const DOWN = { acknowledged: 0, failed: new Error("connection refused") };

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
    for (const source of ["a b", "https://zürich.example", "https://a|b", "urn:100%"])
      expect(wrong({ ...settings, source }), source).to.contain("source");
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

  it("keeps a tenant's breaker that a call opened which came through in part", async () => {
    const states: string[] = [];
    const broker = new RecordingBroker();
    const breaker = { of: "tenant", failures: 1, firstDelay: 60_000 } as const;
    const publisher = new EventPublisher(broker, { ...settings, breaker, onBreaker: ({ state }) => states.push(state) });
    broker.answer = () => ({ acknowledged: 1, failed: new Error("cut off") });
    const items = [0, 1].map((index) => ({ event: commit.events[0]!, commit, index }));
    expect((await publisher.batch("t", items)).finished).to.equal(1);
    await publisher.batch("t", items.slice(1));
    expect([states, broker.calls]).to.deep.equal([["open"], [2]]);
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
