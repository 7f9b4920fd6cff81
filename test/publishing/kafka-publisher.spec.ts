import { MultipleErrors, type Producer, ProtocolError } from "@platformatic/kafka";
import { expect } from "chai";
import { type IKafkaProducer, KafkaPublisher } from "../../adapters/kafka/index.ts";
import { Err } from "../../core/index.ts";
import type { OutgoingEvent } from "../../core/publishing.ts";
import { thrown } from "../support/thrown.ts";

// The compiler's part of the test: the real client fits the slice that the adapter describes.
const _fits: (producer: Producer<string, string, string, string>) => IKafkaProducer = (producer) => producer;

describe("The Kafka publisher", () => {
  const outgoing = (key: string, number: number) =>
    ({ key, json: `{"number":${number}}`, bytes: 12, cloudEvent: { type: key } }) as unknown as OutgoingEvent;
  const never = new AbortController().signal;

  function stage(send: (values: readonly string[]) => Promise<unknown>) {
    const calls: string[] = [];
    const producer: IKafkaProducer = {
      send: async ({ messages, idempotent, acks }) => {
        expect([idempotent, acks]).to.deep.equal([true, -1]);
        const values = messages.map(({ value }) => value.replace(/\D/g, ""));
        calls.push(`send ${values.join(",")} to ${messages[0]?.topic}`);
        return send(values);
      },
      initIdempotentProducer: async () => calls.push("new id"),
    };
    return { calls, publisher: new KafkaPublisher(producer, { topic: ({ type }) => `of-${type}` }) };
  }

  it("knows a refusal by what the real client throws, also inside other errors", async () => {
    const tooLarge = new ProtocolError("MESSAGE_TOO_LARGE");
    for (const error of [tooLarge, new MultipleErrors("produce failed 1 times.", [tooLarge])]) {
      const { calls, publisher } = stage(() => Promise.reject(error));
      const events = [0, 1].map((number) => outgoing("k", number));
      expect(await publisher.publish(events, never)).to.deep.equal({ acknowledged: 0, refused: error });
      expect(calls).to.deep.equal(["new id", "send 0,1 to of-k"]);
    }
  });

  it("takes any other error for an outage: even one that names the topic or the rights", async () => {
    for (const error of [new ProtocolError("TOPIC_AUTHORIZATION_FAILED"), new Error("ECONNREFUSED"), "odd"]) {
      const { publisher } = stage(() => Promise.reject(error));
      expect(await publisher.publish([outgoing("k", 1)], never)).to.deep.equal({ acknowledged: 0, failed: error });
    }
  });

  it("calls an event refused for which there is no topic: that is no outage, and opens no breaker", async () => {
    const calls: unknown[] = [];
    const producer = {
      send: async (sent: unknown) => calls.push(sent),
      initIdempotentProducer: async () => calls.push("new id"),
    };
    const refusal = async (topic: () => string) => {
      const { refused } = await new KafkaPublisher(producer, { topic }).publish([outgoing("k", 1)], never);
      return (refused as Error | undefined)?.message;
    };
    const topics: Record<string, string> = {};
    const throwing = () => {
      throw new Error("no topic");
    };
    expect(await refusal(throwing)).to.equal("no topic");
    expect(await refusal(() => topics.absent as string)).to.contain("topic");
    expect(await refusal(() => "")).to.contain("topic");
    expect(calls).to.deep.equal([]);
  });

  it("has one send under way at a time, and takes a new producer id after one in doubt", async () => {
    let underWay = 0;
    let rounds = 0;
    const { calls, publisher } = stage(async () => {
      expect(++underWay).to.equal(1);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      if (rounds++ === 1) throw new Error("the answer was lost");
    });
    await Promise.all([1, 2, 3, 4].map((number) => publisher.publish([outgoing("k", number)], never)));
    expect(calls).to.deep.equal(["new id", "send 1 to of-k", "send 2 to of-k", "new id", "send 3 to of-k", "send 4 to of-k"]);
  });

  it("does not send any more what nobody waits for", async () => {
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const { calls, publisher } = stage(() => gate);
    const first = publisher.publish([outgoing("k", 1)], never);
    const deadline = new AbortController();
    const second = publisher.publish([outgoing("k", 2)], deadline.signal);
    deadline.abort();
    open();
    expect((await first).acknowledged).to.equal(1);
    expect((await second).acknowledged).to.equal(0);
    expect(calls).to.deep.equal(["new id", "send 1 to of-k"]);
  });

  it("is not held up by a client that never answers: what comes after the deadline goes under a new producer id", async () => {
    let isDead = true;
    const { calls, publisher } = stage(() => (isDead ? new Promise(() => {}) : Promise.resolve()));
    const deadline = new AbortController();
    const first = publisher.publish([outgoing("k", 1)], deadline.signal);
    await new Promise((resolve) => setImmediate(resolve));
    deadline.abort();
    expect((await first).failed).to.be.instanceOf(Error);
    isDead = false;
    expect(await publisher.publish([outgoing("k", 1)], never)).to.deep.equal({ acknowledged: 1 });
    expect(calls).to.deep.equal(["new id", "send 1 to of-k", "new id", "send 1 to of-k"]);
  });

  it("stays in doubt about a send, although an earlier one that nobody waits for is answered meanwhile", async () => {
    const answers: (() => void)[] = [];
    const { calls, publisher } = stage(() => new Promise<void>((resolve) => answers.push(resolve)));
    const soon = () => new Promise((resolve) => setImmediate(resolve));
    for (const number of [1, 2]) {
      const deadline = new AbortController();
      const lost = publisher.publish([outgoing("k", number)], deadline.signal);
      await soon();
      // The first is answered while the second is under way.
      if (number === 2) answers[0]?.();
      await soon();
      deadline.abort();
      expect((await lost).failed).to.be.instanceOf(Error);
    }
    const third = publisher.publish([outgoing("k", 3)], never);
    await soon();
    answers[2]?.();
    expect((await third).acknowledged).to.equal(1);
    const round = (number: number) => ["new id", `send ${number} to of-k`];
    expect(calls).to.deep.equal([...round(1), ...round(2), ...round(3)]);
  });

  it("does not send after its deadline what waited for a producer id, beside what comes next", async () => {
    const calls: string[] = [];
    const ids: (() => void)[] = [];
    const producer: IKafkaProducer = {
      send: async ({ messages }) => calls.push(`send ${messages[0]?.value}`),
      initIdempotentProducer: () => new Promise<void>((resolve) => ids.push(resolve)),
    };
    const publisher = new KafkaPublisher(producer, { topic: "t" });
    const deadline = new AbortController();
    const soon = () => new Promise((resolve) => setImmediate(resolve));
    const late = publisher.publish([outgoing("k", 1)], deadline.signal);
    await soon();
    deadline.abort();
    expect((await late).failed).to.be.instanceOf(Error);
    const next = publisher.publish([outgoing("k", 2)], never);
    await soon();
    for (const give of ids) give();
    expect((await next).acknowledged).to.equal(1);
    await soon();
    expect(calls).to.deep.equal(['send {"number":2}']);
  });

  it("says what is wrong with its options", () => {
    const { publisher } = stage(async () => {});
    expect(publisher.limits.bytes).to.be.below(1_048_576);
    expect(thrown(Err, () => new KafkaPublisher({} as IKafkaProducer, { topic: "t" })).message).to.contain("producer");
    const producer = { send: async () => {}, initIdempotentProducer: async () => {} };
    expect(thrown(Err, () => new KafkaPublisher(producer, { topic: "" })).message).to.contain("topic");
  });
});
