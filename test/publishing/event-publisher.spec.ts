import { expect } from "chai";
import { CommandHandler } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { arrived, publishingOn } from "../support/publishing-stage.ts";
import { RecordingBroker } from "../support/recording-broker.ts";
import { onEveryStore } from "../support/stores.ts";

const DOWN = { acknowledged: 0, failed: new Error("connection refused") };

onEveryStore("Publishing", (stage) => {
  const { publishing, readerOf, settled } = publishingOn(stage);

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
