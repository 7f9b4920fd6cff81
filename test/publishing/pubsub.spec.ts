import { PubSub, type Topic } from "@google-cloud/pubsub";
import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type IPubSubTopic, PubSubPublisher } from "../../adapters/pubsub/index.ts";
import { Err, StreamReader } from "../../core/index.ts";
import { EventPublisher } from "../../core/publishing.ts";
import { outgoingEvent } from "../support/outgoing-event.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { type PubSubServer, pubSubServer } from "../support/pubsub-server.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

// The compiler's part of the test: the real client fits the slice that the adapter describes.
const _fits: (topic: Topic) => IPubSubTopic = (topic) => topic;

const UNAVAILABLE = 14;
const PERMISSION_DENIED = 7;
const INVALID_ARGUMENT = 3;
const never = new AbortController().signal;

describe("Publishing to Google Pub/Sub", function () {
  this.timeout(20_000);
  let server: PubSubServer;
  let client: PubSub;

  // The client would ask the network whether it runs on Google's machines.
  const { METADATA_SERVER_DETECTION: detection } = process.env;
  before(() => {
    process.env.METADATA_SERVER_DETECTION = "none";
  });
  after(() => {
    if (detection === undefined) delete process.env.METADATA_SERVER_DETECTION;
    else process.env.METADATA_SERVER_DETECTION = detection;
  });

  beforeEach(async () => {
    server = await pubSubServer();
    client = new PubSub({ projectId: "test", apiEndpoint: `127.0.0.1:${server.port}`, emulatorMode: true });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  const topic = () =>
    client.topic("parcels", {
      messageOrdering: true,
      batching: { maxMilliseconds: 5 },
      // The client itself does not try again: the publisher does, for as long as it takes.
      gaxOpts: { timeout: 1_000, retry: null },
    });

  const received = () => server.messages.map(({ data }) => JSON.parse(data));

  it("sends each aggregate's events under its ordering key, in order, and goes on after a failure", async () => {
    const store = new MemoryEventStore();
    await pack(store, "acme", ["a", "b", "c"], 20);
    const reader = new StreamReader(store);
    const publisher = new EventPublisher(new PubSubPublisher(topic()), {
      aggregates: [Parcel],
      source: "https://post.example",
      breaker: { firstDelay: 10, longestDelay: 20 },
    });
    // Every third request fails, whatever it carries.
    let requests = 0;
    server.status = () => (++requests % 3 === 0 ? UNAVAILABLE : undefined);
    for (;;) {
      const { status, retryAt } = await reader.poll("acme", "pubsub", [publisher], { onError: "park", limit: 25 });
      if (status === "idle") break;
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, (retryAt ?? 0) - Date.now())));
    }
    expect(requests).to.be.above(3);
    expect((await reader.parked("acme", "pubsub")).parked).to.deep.equal([]);
    for (const parcel of ["a", "b", "c"]) {
      const events = received().filter(({ subject }) => subject === parcel);
      const ids = events.map(({ id }) => id);
      const firsts = events.filter(({ id }, place) => ids.indexOf(id) === place);
      expect(firsts.map(({ data }) => data.number)).to.deep.equal(Array.from({ length: 20 }, (_, number) => number));
    }
    for (const { topic: name, orderingKey, attributes, data } of server.messages) {
      expect(name).to.equal("projects/test/topics/parcels");
      expect(orderingKey).to.equal(JSON.parse(data).partitionkey);
      expect(attributes).to.include({ "content-type": "application/cloudevents+json" });
    }
  });

  it("counts up to the first that failed, and lets its key go on afterwards", async () => {
    const publisher = new PubSubPublisher(topic());
    const events = ["a", "b", "a", "b"].map((parcel, number) => outgoingEvent("acme", parcel, number));
    server.status = (messages) => (messages[0]?.orderingKey.endsWith("b") ? PERMISSION_DENIED : undefined);
    const { acknowledged, failed, refused } = await publisher.publish(events, never);
    expect([acknowledged, (failed as { code: number }).code, refused]).to.deep.equal([1, PERMISSION_DENIED, undefined]);
    expect(received().map(({ subject }) => subject)).to.deep.equal(["a", "a"]);
    server.status = () => undefined;
    expect(await publisher.publish(events.slice(1), never)).to.deep.equal({ acknowledged: 3 });
  });

  it("knows what is the event's own fault", async () => {
    server.status = () => INVALID_ARGUMENT;
    const { acknowledged, refused } = await new PubSubPublisher(topic()).publish([outgoingEvent("acme", "a", 0)], never);
    expect([acknowledged, (refused as { code: number }).code]).to.deep.equal([0, INVALID_ARGUMENT]);
  });

  it("sends nothing more of an aggregate while the client is still busy with it", async () => {
    let isSeen = false;
    server.status = () => {
      isSeen = true;
      return "hang";
    };
    const publisher = new PubSubPublisher(topic());
    const deadline = new AbortController();
    const first = publisher.publish([outgoingEvent("acme", "a", 0)], deadline.signal);
    while (!isSeen) await new Promise((resolve) => setImmediate(resolve));
    deadline.abort();
    expect((await rejects(Error, first)).message).to.equal("no answer until the deadline");
    const events = [outgoingEvent("acme", "b", 0), outgoingEvent("acme", "a", 0), outgoingEvent("acme", "b", 1)];
    server.status = () => undefined;
    const second = await publisher.publish(events, never);
    expect([second.acknowledged, (second.failed as Error).message]).to.deep.equal([
      1,
      "the client is still busy with earlier events of this aggregate",
    ]);
    // The client's own deadline ends the first; then the key is free.
    for (let outcome = second; outcome.acknowledged < 2; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      outcome = await publisher.publish(events.slice(1), never);
    }
    expect(received().filter(({ subject }) => subject === "a")).to.have.length(1);
  });

  it("says what is wrong with its topic", () => {
    expect(thrown(Err, () => new PubSubPublisher({} as IPubSubTopic)).message).to.contain("messageOrdering");
  });
});

describe("The Pub/Sub publisher", () => {
  it("resumes a key that has failed, once everything under way for it has ended and not before", async () => {
    // What the client's documentation says of a key: after a failure nothing goes on until it is resumed.
    const stopped = new Set<string>();
    const resumed: string[] = [];
    let underWay = 0;
    const topic: IPubSubTopic = {
      publishMessage: async ({ orderingKey, data }) => {
        underWay++;
        const isDown = String(data).includes('"number":1');
        if (isDown) stopped.add(orderingKey);
        const hasStopped = stopped.has(orderingKey);
        for (let turns = isDown ? 1 : 5; turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
        underWay--;
        if (hasStopped) throw new Error("stopped");
        return "id";
      },
      resumePublishing: (key) => {
        expect(underWay).to.equal(0);
        resumed.push(key);
        stopped.delete(key);
      },
    };
    const publisher = new PubSubPublisher(topic);
    const events = [0, 1, 2].map((number) => outgoingEvent("acme", "a", number));
    expect((await publisher.publish(events, never)).acknowledged).to.equal(1);
    expect(resumed).to.deep.equal(["acme/parcels/a"]);
    expect(await publisher.publish([outgoingEvent("acme", "a", 2)], never)).to.deep.equal({ acknowledged: 1 });
    expect(resumed).to.have.length(1);
  });
});
