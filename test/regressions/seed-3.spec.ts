import { expect } from "chai";
import { CommandHandler, type IEventHandler, type PositionedCommit, StreamReader } from "../../core/index.ts";
import { Cart, cartFeed, type HotProduct, HotProducts } from "../../examples/cart/index.ts";
import { actorOf } from "../support/actors.ts";
import { intercepted } from "../support/intercepted-store.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { onEveryStore } from "../support/stores.ts";

class CartWithoutSnapshots extends Cart {
  static readonly snapshot = false;
}

class CartWithFewSnapshots extends Cart {
  static readonly snapshot = { every: 10 };
}

onEveryStore("Seed 3 (node-event-sourcing)", (stage) => {
  const readerOf = (options = {}) => new StreamReader(stage.store, { platform: stage.clock, ...options });

  async function add(Type: typeof Cart, times: number, actor = actorOf(stage.newTenant())) {
    const handler = new CommandHandler(stage.store, [Type]);
    for (let count = 0; count < times; count++)
      await handler.command(actor, "AddItem", { product: "tea", quantity: 1, aggregateId: "cart" });
    return actor;
  }

  const piecesAfresh = async (Type: typeof Cart, actor: ReturnType<typeof actorOf>, store = stage.store) =>
    (await new CommandHandler(store, [Type]).load(actor, Type, "cart"))?.pieces;

  it("loaded 11 instead of 50 once snapshots were turned on for an old aggregate", async () => {
    const actor = await add(CartWithoutSnapshots, 39);
    await add(CartWithFewSnapshots, 11, actor);
    expect((await stage.store.load({ tenant: actor.tenant, type: "carts", id: "cart" })).snapshot?.version).to.be.above(38);
    for (const Type of [CartWithFewSnapshots, CartWithoutSnapshots, Cart]) expect(await piecesAfresh(Type, actor)).to.equal(50);
  });

  it("loaded 13 instead of 30 when one snapshot was lost", async () => {
    const actor = await add(CartWithFewSnapshots, 30);
    const address = { tenant: actor.tenant, type: "carts", id: "cart" };
    const { snapshot } = await stage.store.load(address);
    expect(snapshot?.version).to.be.above(0);
    // What a store gives that has lost the snapshot: every commit from the start.
    const lost = intercepted(stage.store, { load: (of, options) => stage.store.load(of, { after: -1, ...options }) });
    expect(await piecesAfresh(CartWithFewSnapshots, actor, lost)).to.equal(30);
    const handler = new CommandHandler(stage.store, [CartWithFewSnapshots]);
    expect((await handler.recalculate(actor, CartWithFewSnapshots, "cart")).aggregate.pieces).to.equal(30);
  });

  it("marked events as published, and lost them, while the broker was down", async () => {
    const actor = await add(Cart, 5);
    const broker = new RecordingBroker();
    broker.answer = () => {
      throw new Error("connect ECONNREFUSED");
    };
    const feed = cartFeed(broker, { platform: stage.clock });
    const reader = readerOf({ retries: 0, onError: "park" });
    await pollUntilIdle(reader, actor.tenant, "before", [new HotProducts()]);
    for (let round = 0; round < 8; round++) {
      const result = await reader.poll(actor.tenant, "feed", [feed]);
      expect(result.handled).to.equal(0);
      stage.clock.turn(120_000);
    }
    broker.answer = undefined;
    await pollUntilIdle(reader, actor.tenant, "feed", [feed]);
    expect(broker.cloudEvents.map(({ version }) => Number(version))).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it("called a projector's methods unbound", async () => {
    const actor = await add(Cart, 3);
    class Counting implements IEventHandler<{ CartItemAdded: { quantity: number } }> {
      pieces = 0;
      get events() {
        return {
          CartItemAdded: (_tenant: string, { payload }: { payload: { quantity: number } }) => this.count(payload.quantity),
        };
      }
      count(quantity: number) {
        this.pieces += quantity;
      }
    }
    class Weighted extends HotProducts {
      readonly weight = 10;
      override get events() {
        const own = super.events;
        return {
          CartItemAdded: {
            id: own.CartItemAdded!.id,
            next: (view: HotProduct | undefined, event: { payload: { quantity: number } }) =>
              this.weigh(view, event.payload.quantity),
          },
        };
      }
      weigh(view: HotProduct | undefined, quantity: number): HotProduct {
        return { pieces: (view?.pieces ?? 0) + this.weight * quantity, times: (view?.times ?? 0) + 1 };
      }
    }
    const counting = new Counting();
    const weighted = new Weighted();
    const reader = readerOf();
    await pollUntilIdle(reader, actor.tenant, "bound", [counting, weighted]);
    expect(counting.pieces).to.equal(3);
    expect(await reader.views<HotProduct>(actor.tenant, weighted).get("tea")).to.deep.equal({ pieces: 30, times: 3 });
  });

  it("wrote errors down without their event, and then skipped it", async () => {
    const actor = await add(Cart, 3);
    let isBroken = true;
    const seen: number[] = [];
    const handler = {
      name: "listener",
      events: {
        CartItemAdded: (_tenant: string, _event: unknown, commit: PositionedCommit) => {
          if (isBroken && commit.version === 1) throw new Error("cannot listen");
          seen.push(commit.version);
        },
      },
    };
    const halting = readerOf({ retries: 0 });
    await pollUntilIdle(halting, actor.tenant, "before", [new HotProducts()]);
    const halted = await halting.poll(actor.tenant, "halting", [handler]);
    expect([seen, halted.blocked[0]?.halted, halted.blocked[0]?.error]).to.deep.equal([[0], true, "Error: cannot listen"]);
    const parking = readerOf({ retries: 0, onError: "park" });
    await pollUntilIdle(parking, actor.tenant, "parking", [handler]);
    const { parked } = await parking.parked(actor.tenant, "parking");
    const commits = (await parking.read(actor.tenant, 0)).commits;
    expect(parked).to.have.length(1);
    expect(parked[0]).to.include({
      event: "CartItemAdded",
      position: commits[1]?.position,
      index: 0,
      error: "Error: cannot listen",
    });
    isBroken = false;
    seen.length = 0;
    await parking.retryParked(actor.tenant, "parking", handler);
    expect(seen).to.deep.equal([1]);
  });

  it("had a replay that was an empty class", async () => {
    const actor = await add(Cart, 4);
    const reader = readerOf();
    const products = new HotProducts();
    const times = async () => (await reader.views<HotProduct>(actor.tenant, products).get("tea"))?.times;
    for (let round = 0; round < 2; round++) {
      expect(await pollUntilIdle(reader, actor.tenant, "hot", [products])).to.equal(4);
      expect(await times()).to.equal(4);
      await reader.rewind(actor.tenant, "hot", products);
    }
    const versions: number[] = [];
    const events = {
      CartItemAdded: (_tenant: string, _event: unknown, { version }: PositionedCommit) => void versions.push(version),
    };
    await reader.replay(actor.tenant, "hot", [{ name: "Listener", replayable: true, events }]);
    expect(versions).to.deep.equal([0, 1, 2, 3]);
  });

  it("read one page only: 20 of 30 events", async () => {
    const actor = await add(CartWithoutSnapshots, 30);
    expect(await piecesAfresh(CartWithoutSnapshots, actor)).to.equal(30);
    const reader = readerOf();
    const products = new HotProducts();
    expect(await pollUntilIdle(reader, actor.tenant, "hot", [products], { limit: 20 })).to.equal(30);
    expect(await reader.views<HotProduct>(actor.tenant, products).get("tea")).to.deep.equal({ pieces: 30, times: 30 });
  });
});
