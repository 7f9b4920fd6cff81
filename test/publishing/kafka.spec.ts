import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Producer, stringSerializers } from "@platformatic/kafka";
import { expect } from "chai";
import { KafkaPublisher } from "../../adapters/kafka/index.ts";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { CommandHandler, StreamReader } from "../../core/index.ts";
import { type BreakerChange, type CloudEvent, EventPublisher } from "../../core/publishing.ts";
import { actorOf } from "../support/actors.ts";
import { type KafkaBridge, kafkaBridge } from "../support/kafka-bridge.ts";
import { type KafkaCluster, kafkaCluster, needsKafka } from "../support/kafka-cluster.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";

/** How often a sender is killed; more in a campaign. */
const KILLS = Number(process.env.EVENANT_KAFKA_KILLS ?? 3);

const PARCELS = Array.from({ length: 10 }, (_, number) => `parcel${number}`);

describe("Publishing to Kafka", function () {
  this.timeout(60_000);
  let cluster: KafkaCluster;
  let bridge: KafkaBridge;
  let topics = 0;
  const producers: { close(): Promise<void> }[] = [];

  before(async function () {
    needsKafka(this);
    cluster = await kafkaCluster();
    bridge = await kafkaBridge(cluster.port);
  });

  after(async () => {
    for (const producer of producers) await producer.close();
    await bridge?.close();
    await cluster?.close();
  });

  function stage() {
    const store = new MemoryEventStore();
    const topic = `topic-${topics++}`;
    const changes: BreakerChange[] = [];
    /** A publisher as in a new process. */
    const publisher = () => {
      const producer = new Producer({
        clientId: "test",
        bootstrapBrokers: [bridge.bootstrap],
        serializers: stringSerializers,
        autocreateTopics: true,
        retries: 1,
        retryDelay: 20,
      });
      producers.push(producer);
      const breaker = { failures: 3, firstDelay: 20, longestDelay: 100 };
      return new EventPublisher(new KafkaPublisher(producer, { topic }), {
        aggregates: [Parcel],
        source: "https://post.example",
        breaker,
        onBreaker: (change) => changes.push(change),
      });
    };
    const reader = new StreamReader(store);
    return { store, topic, reader, publisher, changes };
  }

  /** What another client finds in a topic: cloud events by their key, in the order of the partition. */
  async function found(topic: string) {
    const byKey = new Map<string, CloudEvent[]>();
    for (const { key, payload, headers } of await cluster.records(topic)) {
      expect(headers).to.deep.equal(["content-type", "application/cloudevents+json; charset=UTF-8"]);
      const event = JSON.parse(payload) as CloudEvent;
      expect(event.partitionkey).to.equal(key);
      byKey.set(key, [...(byKey.get(key) ?? []), event]);
    }
    return byKey;
  }

  const numbersOf = (events: readonly CloudEvent[] = []) => events.map(({ data }) => (data as { number: number }).number);
  const upTo = (count: number) => Array.from({ length: count }, (_, number) => number);

  it("brings every event once, in order for each key, as another client reads them", async () => {
    const { store, topic, reader, publisher } = stage();
    for (const tenant of ["acme", "globex"]) await pack(store, tenant, PARCELS, 10, 2);
    const handlers = [publisher()];
    // Together, because tenants do not depend on each other: one producer serves both.
    await Promise.all(["acme", "globex"].map((tenant) => pollUntilIdle(reader, tenant, "kafka", handlers)));
    const byKey = await found(topic);
    expect([...byKey.keys()].sort()).to.deep.equal(
      ["acme", "globex"].flatMap((tenant) => PARCELS.map((id) => `${tenant}/parcels/${id}`)).sort(),
    );
    for (const [key, events] of byKey) expect(numbersOf(events), key).to.deep.equal(upTo(20));
    expect(new Set((await cluster.records(topic)).map(({ partition }) => partition)).size).to.be.above(1);
  });

  it("has the broker down during 500 commits: all arrive once it is back, and none counts as sent before", async () => {
    const { store, topic, reader, publisher, changes } = stage();
    const handlers = [publisher()];
    await pack(store, "acme", PARCELS, 5);
    await pollUntilIdle(reader, "acme", "kafka", handlers);
    const reached = (await reader.poll("acme", "kafka", handlers)).cursors.EventPublisher!;
    await bridge.down();
    const stop = new AbortController();
    const running = reader.run(["acme"], "kafka", handlers, { signal: stop.signal, interval: 20, onError: "park" });
    for (let round = 1; round <= 10; round++) {
      await pack(store, "acme", PARCELS, 5, 1, 5 * round);
      const { thread } = await store.peek("acme", "kafka");
      expect(thread.cursors.EventPublisher?.position).to.equal(reached);
      expect(thread.cursors.EventPublisher?.failure?.attempts ?? 0).to.equal(0);
    }
    while (!changes.some(({ state }) => state === "open")) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(numbersOf([...(await found(topic)).values()].flat())).to.have.length(50);
    await bridge.up();
    const { head } = await store.peek("acme", "kafka");
    expect(await reader.waitFor("acme", "kafka", head, { timeout: 20_000 })).to.equal(true);
    stop.abort();
    await running;
    const byKey = await found(topic);
    expect(byKey.size).to.equal(10);
    for (const [key, events] of byKey) expect(numbersOf(events), key).to.deep.equal(upTo(55));
    expect((await reader.parked("acme", "kafka")).parked).to.deep.equal([]);
    expect(changes.map(({ state }) => state)).to.include.members(["open", "half-open", "closed"]);
    expect(changes.at(-1)?.state).to.equal("closed");
  });

  it("repeats events only after a crash, or where the answer was lost, and then under the same ids", async () => {
    const { store, topic, reader, publisher } = stage();
    await pack(store, "acme", ["a", "b"], 10);
    bridge.cutNextAnswer();
    // The first answer is lost; then a process dies between the broker's answer and its cursor, which here is one that had no lease any more.
    await pollUntilIdleAgain(reader, "acme", [publisher()]);
    const crashed = publisher();
    const { commits } = await reader.read("acme", 0, 4);
    await crashed.batch(
      "acme",
      commits.map((commit) => ({ event: commit.events[0]!, commit, index: 0 })),
    );
    const byKey = await found(topic);
    for (const [key, events] of byKey) {
      expect(events.length, key).to.be.above(10);
      const ids = events.map(({ id }) => id);
      expect(new Set(ids).size, key).to.equal(10);
      const firsts = events.filter(({ id }, place) => ids.indexOf(id) === place);
      expect(numbersOf(firsts), key).to.deep.equal(upTo(10));
      for (const event of events) expect(event).to.deep.equal(events.find(({ id }) => id === event.id));
    }
  });

  async function pollUntilIdleAgain(reader: StreamReader, tenant: string, handlers: EventPublisher[]) {
    for (;;) {
      const result = await reader.poll(tenant, "kafka", handlers);
      if (result.status === "idle") return;
      const wait = Math.max(1, (result.retryAt ?? 0) - Date.now());
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  it("survives kill -9 again and again: nothing is missing, order is kept, and only what was in doubt comes twice", async function () {
    this.timeout(60_000 + KILLS * 5_000);
    const folder = await mkdtemp(join(tmpdir(), "evenant-"));
    const path = join(folder, "store.db");
    const store = new SqliteEventStore({ path });
    const topic = `topic-${topics++}`;
    const each = 10 * KILLS;
    await pack(store, "acme", PARCELS, each);
    const script = fileURLToPath(new URL("../support/kafka-sender.ts", import.meta.url));
    let kills = 0;
    for (let isDone = false; !isDone; ) {
      const sender = spawn(process.execPath, [script, path, bridge.bootstrap, topic, "acme"], {
        stdio: ["ignore", "inherit", "inherit"],
      });
      const ended = once(sender, "exit");
      // As soon as a call or two have reached the broker: somewhere between its answer, the cursor and the next call.
      const enough = bridge.produced + 1 + (kills % 3);
      while (kills < KILLS && bridge.produced < enough && sender.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1));
      if (kills < KILLS && sender.exitCode === null) {
        sender.kill("SIGKILL");
        kills++;
      }
      const [code] = await ended;
      isDone = code === 0;
    }
    await store.close();
    await rm(folder, { recursive: true });
    expect(kills).to.equal(KILLS);
    const byKey = await found(topic);
    expect(byKey.size).to.equal(10);
    let repeated = 0;
    for (const [key, events] of byKey) {
      const ids = events.map(({ id }) => id);
      const firsts = events.filter(({ id }, place) => ids.indexOf(id) === place);
      expect(numbersOf(firsts), key).to.deep.equal(upTo(each));
      repeated += events.length - firsts.length;
    }
    // A poll hands over ten commits of one event: no more can be in doubt after a kill.
    expect(repeated).to.be.at.most(KILLS * 10);
  });

  it("writes the same record that the reader of the log would: nothing is lost of any letter", async () => {
    const { store, topic, reader, publisher } = stage();
    const handler = new CommandHandler(store, [Parcel]);
    const note = 'ä € 🎁 \u2028 "quoted" \\ \u0000';
    await handler.command(actorOf("acme"), "Pack", { numbers: [1], note, aggregateId: "Zürich/1 🎁" });
    await pollUntilIdle(reader, "acme", "kafka", [publisher()]);
    const [event] = (await found(topic)).get("acme/parcels/Zürich/1 🎁") ?? [];
    expect([event?.subject, event?.data]).to.deep.equal(["Zürich/1 🎁", { number: 1, note }]);
  });
});
