import { Producer, stringSerializers } from "@platformatic/kafka";
import { expect } from "chai";
import { KafkaPublisher } from "../../adapters/kafka/index.ts";
import { CommandHandler, Err, StreamReader } from "../../core/index.ts";
import type { BreakerState, CloudEvent } from "../../core/publishing.ts";
import { Cart, cartFeed, type HotProduct, HotProducts } from "../../examples/cart/index.ts";
import { actorOf } from "../support/actors.ts";
import { type KafkaBridge, kafkaBridge } from "../support/kafka-bridge.ts";
import { type KafkaCluster, kafkaCluster, needsKafka } from "../support/kafka-cluster.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { rejects } from "../support/rejects.ts";
import { onEveryStore } from "../support/stores.ts";

const PRODUCTS = ["tea", "milk", "sugar"] as const;

onEveryStore("The cart", (stage) => {
  const handlerOf = () => new CommandHandler(stage.store, [Cart]);
  const readerOf = (options = {}) => new StreamReader(stage.store, { platform: stage.clock, ...options });

  /** Thirty commands on three carts: 1 to 10 pieces of a product each. */
  async function shopped(rounds = 10) {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    for (let round = 0; round < rounds; round++) {
      for (const [index, aggregateId] of ["cart1", "cart2", "cart3"].entries()) {
        const product = PRODUCTS[(round + index) % 3]!;
        await handler.command(actor, "AddItem", { product, quantity: round + 1, aggregateId });
      }
    }
    return { actor, handler };
  }

  const hot: Record<(typeof PRODUCTS)[number], HotProduct> = {
    tea: { pieces: 55, times: 10 },
    milk: { pieces: 55, times: 10 },
    sugar: { pieces: 55, times: 10 },
  };

  async function hotProducts(reader: StreamReader, tenant: string) {
    const { views } = await reader.views<HotProduct>(tenant, new HotProducts()).list();
    return Object.fromEntries(views.map(({ id, value }) => [id, value]));
  }

  it("adds up the quantities of the same product", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const to = { aggregateId: "cart" };
    for (const [product, quantity] of [
      ["tea", 2],
      ["milk", 1],
      ["tea", 3],
      ["toString", 1],
    ] as const)
      await handler.command(actor, "AddItem", { product, quantity, ...to });
    for (const by of [handler, handlerOf()]) {
      const cart = await by.load(actor, Cart, "cart");
      expect([cart?.items, cart?.pieces]).to.deep.equal([{ tea: 5, milk: 1, toString: 1 }, 7]);
    }
  });

  it("refuses what is no item, and more than a cart holds", async () => {
    const actor = actorOf(stage.newTenant());
    const handler = handlerOf();
    const add = (product: unknown, quantity: unknown) =>
      rejects(
        Err,
        handler.command(actor, "AddItem", { product, quantity, aggregateId: "cart" } as { product: string; quantity: number }),
      );
    for (const quantity of [0, -1, 1.5, "2", undefined]) expect((await add("tea", quantity)).message).to.contain("quantity");
    for (const product of ["", undefined, 7, "\n"]) expect((await add(product, 1)).message).to.contain("product");
    await handler.command(actor, "AddItem", { product: "tea", quantity: 999, aggregateId: "cart" });
    expect((await add("tea", 2)).message).to.equal("a cart holds at most 1000 of one product, and 1001 were wanted");
    expect((await handler.load(actor, Cart, "cart"))?.pieces).to.equal(999);
  });

  it("counts hot products, and a replay from the start gives the same", async () => {
    const { actor, handler } = await shopped();
    const reader = readerOf();
    const products = new HotProducts();
    await pollUntilIdle(reader, actor.tenant, "hot", [products], { limit: 7 });
    expect(await hotProducts(reader, actor.tenant)).to.deep.equal(hot);
    // Nothing but CartItemAdded counts.
    await handler.command(actor, "AssignCart", { customer: "ada", aggregateId: "cart1" });
    await reader.rewind(actor.tenant, "hot", products);
    expect(await pollUntilIdle(reader, actor.tenant, "hot", [products])).to.equal(30);
    expect(await hotProducts(reader, actor.tenant)).to.deep.equal(hot);
    // And so does a replay of CartItemAdded only, to a handler that counts from nothing.
    const counted: Record<string, HotProduct> = {};
    const counter = {
      name: "Counter",
      replayable: true,
      events: {
        CartItemAdded: (_tenant: string, { payload }: { payload: { product: string; quantity: number } }) => {
          const { pieces, times } = counted[payload.product] ?? { pieces: 0, times: 0 };
          counted[payload.product] = { pieces: pieces + payload.quantity, times: times + 1 };
        },
        CartAssigned: () => expect.fail("it was not chosen"),
      },
    };
    const { events } = await reader.replay(actor.tenant, "hot", [counter], { events: ["CartItemAdded"], limit: 7 });
    expect(events).to.deep.equal({ Counter: { CartItemAdded: 30 } });
    expect(counted).to.deep.equal(hot);
    // And so does a rebuild beside the live views.
    await reader.rebuild(actor.tenant, "hot", products);
    expect(await hotProducts(reader, actor.tenant)).to.deep.equal(hot);
  });

  it("tells the world what was added, in the order of each cart, and never whose cart it is", async () => {
    const { actor, handler } = await shopped(4);
    await handler.command(actor, "AssignCart", { customer: "ada", aggregateId: "cart1" });
    const broker = new RecordingBroker();
    await pollUntilIdle(readerOf(), actor.tenant, "feed", [cartFeed(broker, { platform: stage.clock })]);
    expect(broker.received.map(({ json }) => json).join()).not.to.match(/"ada"|Assigned/);
    for (const [index, cart] of ["cart1", "cart2", "cart3"].entries()) {
      const told = broker.cloudEvents.filter(({ subject }) => subject === cart);
      expect(told.map(({ type, data, version }) => [type, data, version])).to.deep.equal(
        [0, 1, 2, 3].map((round) => [
          "CartItemAdded",
          { product: PRODUCTS[(round + index) % 3], quantity: round + 1 },
          String(round),
        ]),
      );
    }
  });

  it("keeps events while the broker is down, behind a breaker that opens, and tells them all afterwards", async () => {
    const { actor } = await shopped(2);
    const broker = new RecordingBroker();
    broker.answer = () => ({ acknowledged: 0, failed: new Error("down") });
    const states: BreakerState[] = [];
    const feed = cartFeed(broker, {
      platform: stage.clock,
      breaker: { failures: 2 },
      onBreaker: ({ state }) => states.push(state),
    });
    const reader = readerOf({ onError: "park", retries: 1 });
    await pollUntilIdle(reader, actor.tenant, "before", [new HotProducts()]);
    for (let round = 0; round < 10; round++) {
      const { handled, retryAt } = await reader.poll(actor.tenant, "feed", [feed]);
      expect(handled).to.equal(0);
      stage.clock.turn((retryAt ?? 0) - stage.clock.now());
    }
    broker.answer = undefined;
    await pollUntilIdle(reader, actor.tenant, "feed", [feed]);
    expect([states[0], states.at(-1)]).to.deep.equal(["open", "closed"]);
    expect(new Set(broker.cloudEvents.map(({ id }) => id)).size).to.equal(6);
    expect(broker.received).to.have.length(6);
    expect((await reader.parked(actor.tenant, "feed")).parked).to.deep.equal([]);
  });

  describe("with Kafka", () => {
    let cluster: KafkaCluster;
    let bridge: KafkaBridge;
    let producer: Producer<string, string, string, string> | undefined;

    before(async function () {
      needsKafka(this);
      cluster = await kafkaCluster();
      bridge = await kafkaBridge(cluster.port);
      const serializers = stringSerializers;
      producer = new Producer({ clientId: "shop", bootstrapBrokers: [bridge.bootstrap], serializers, autocreateTopics: true });
    });

    after(async () => {
      await producer?.close();
      await bridge?.close();
      await cluster?.close();
    });

    it("publishes CloudEvents under the cart's key, once and in order, as kcat reads them", async () => {
      const { actor } = await shopped();
      const feed = cartFeed(new KafkaPublisher(producer!, { topic: "carts" }), { platform: stage.clock });
      await pollUntilIdle(readerOf(), actor.tenant, "feed", [feed]);
      const records = await cluster.records("carts");
      expect(records).to.have.length(30);
      for (const cart of ["cart1", "cart2", "cart3"]) {
        const told = records
          .filter(({ key }) => key === `${actor.tenant}/carts/${cart}`)
          .map(({ payload }) => JSON.parse(payload));
        expect(told.map(({ subject, version }: CloudEvent) => [subject, Number(version)])).to.deep.equal(
          Array.from({ length: 10 }, (_, version) => [cart, version]),
        );
      }
    });
  });
});
