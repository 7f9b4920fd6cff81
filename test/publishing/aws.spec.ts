import { createHash } from "node:crypto";
import { EventBridge } from "@aws-sdk/client-eventbridge";
import { SNS } from "@aws-sdk/client-sns";
import { expect } from "chai";
import { EventBridgePublisher, type IEventBridge } from "../../adapters/eventbridge/index.ts";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { type ISns, SnsPublisher } from "../../adapters/sns/index.ts";
import { Err, StreamReader } from "../../core/index.ts";
import { EventPublisher, type IPublisher } from "../../core/publishing.ts";
import { outgoingEvent } from "../support/outgoing-event.ts";
import { Parcel, pack } from "../support/parcels.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import { type RecordedAnswer, type RecordedServer, recordedServer } from "../support/recorded-server.ts";
import { thrown } from "../support/thrown.ts";

// The compiler's part of the test: the real clients fit the slices that the adapters describe.
const _eventBridge: (client: EventBridge) => IEventBridge = (client) => client;
const _sns: (client: SNS) => ISns = (client) => client;

const SETTINGS = { region: "eu-central-1", credentials: { accessKeyId: "id", secretAccessKey: "key" }, maxAttempts: 1 };
const never = new AbortController().signal;

/** Publishes parcels of a new store, and fails where something is left. */
async function publishParcels(broker: IPublisher, parcels: readonly string[], each: number) {
  const store = new MemoryEventStore();
  await pack(store, "acme", parcels, each);
  const publisher = new EventPublisher(broker, { aggregates: [Parcel], source: "https://post.example" });
  return pollUntilIdle(new StreamReader(store), "acme", "aws", [publisher]);
}

interface Entry {
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly EventBusName: string;
  readonly Time: number;
}

describe("Publishing to EventBridge", () => {
  let server: RecordedServer;
  let client: EventBridge;
  const calls: (readonly Entry[])[] = [];
  let answer: (entries: readonly Entry[]) => RecordedAnswer | undefined;

  const json = (body: object, status = 200) => ({
    status,
    headers: { "content-type": "application/x-amz-json-1.1" },
    body: JSON.stringify(body),
  });
  const taken = (entries: readonly Entry[], failed: Record<number, { ErrorCode: string; ErrorMessage: string }> = {}) =>
    json({
      FailedEntryCount: Object.keys(failed).length,
      Entries: entries.map((_, index) => failed[index] ?? { EventId: `id-${index}` }),
    });

  before(async () => {
    server = await recordedServer((request, body) => {
      expect(request.headers["x-amz-target"]).to.equal("AWSEvents.PutEvents");
      const { Entries } = JSON.parse(body) as { Entries: Entry[] };
      calls.push(Entries);
      return answer(Entries);
    });
    client = new EventBridge({ ...SETTINGS, endpoint: server.url });
  });

  beforeEach(() => {
    calls.length = 0;
    answer = taken;
  });

  after(async () => {
    client.destroy();
    await server.close();
  });

  const events = Array.from({ length: 4 }, (_, number) => outgoingEvent("acme", `p${number % 2}`, number));

  it("puts ten entries at most in a call, each with the whole cloud event", async () => {
    expect(await publishParcels(new EventBridgePublisher(client, { bus: "parcels" }), ["a", "b", "c"], 8)).to.equal(24);
    expect(calls.map(({ length }) => length)).to.deep.equal([10, 10, 4]);
    for (const { Source, DetailType, Detail, EventBusName, Time } of calls.flat()) {
      const { source, type, time } = JSON.parse(Detail);
      expect([Source, DetailType, EventBusName, Time]).to.deep.equal([source, type, "parcels", Date.parse(time) / 1_000]);
    }
  });

  it("counts the entries up to the first that failed", async () => {
    answer = (entries) =>
      taken(entries, {
        2: { ErrorCode: "ThrottlingException", ErrorMessage: "slow down" },
        3: { ErrorCode: "InternalFailure", ErrorMessage: "oops" },
      });
    const { acknowledged, failed } = await new EventBridgePublisher(client).publish(events, never);
    expect([acknowledged, (failed as Error).message]).to.deep.equal([
      2,
      "EventBridge did not take the event: ThrottlingException: slow down",
    ]);
  });

  it("knows what is the event's own fault", async () => {
    const publisher = new EventBridgePublisher(client);
    answer = (entries) => taken(entries, { 0: { ErrorCode: "MalformedDetail", ErrorMessage: "no JSON" } });
    expect((await publisher.publish(events, never)).refused).to.be.instanceOf(Error);
    const argument = (name: string) => (entries: readonly Entry[]) =>
      taken(entries, { 1: { ErrorCode: "InvalidArgument", ErrorMessage: `Parameter ${name} is not valid.` } });
    answer = argument("DetailType");
    expect((await publisher.publish(events, never)).refused).to.be.instanceOf(Error);
    answer = argument("EventBusName");
    expect((await publisher.publish(events, never)).failed).to.be.instanceOf(Error);
    answer = () =>
      json({ __type: "ValidationException", message: "Total size of the entries in the request is over the limit." }, 400);
    expect((await publisher.publish(events, never)).refused).to.be.instanceOf(Error);
    for (const [type, status] of [
      ["ResourceNotFoundException", 400],
      ["AccessDeniedException", 400],
      ["ValidationException", 400],
      ["InternalException", 500],
    ] as const) {
      answer = () => json({ __type: type, message: type }, status);
      const outcome = await publisher.publish(events, never);
      expect([outcome.acknowledged, outcome.refused, (outcome.failed as Error).name]).to.deep.equal([0, undefined, type]);
    }
  });

  it("gives up at the deadline", async () => {
    const deadline = new AbortController();
    answer = () => void deadline.abort();
    const { acknowledged, failed } = await new EventBridgePublisher(client).publish(events, deadline.signal);
    expect([acknowledged, (failed as Error).name]).to.deep.equal([0, "AbortError"]);
  });

  it("says what is wrong with its options", () => {
    expect(thrown(Err, () => new EventBridgePublisher({} as IEventBridge)).message).to.contain("client");
    expect(thrown(Err, () => new EventBridgePublisher(client, { bus: "" })).message).to.contain("bus");
  });
});

interface Message {
  readonly id: string;
  readonly message: string;
  readonly group: string;
  readonly deduplication: string;
}

describe("Publishing to SNS FIFO", () => {
  const topicArn = "arn:aws:sns:eu-central-1:123456789012:parcels.fifo";
  let server: RecordedServer;
  let client: SNS;
  const calls: (readonly Message[])[] = [];
  let answer: (messages: readonly Message[]) => RecordedAnswer | undefined;

  const xml = (body: string, status = 200) => ({ status, headers: { "content-type": "text/xml" }, body });
  const taken = (messages: readonly Message[], failed: Record<string, string> = {}) => {
    const members = (wanted: boolean, member: (id: string) => string) =>
      messages
        .filter(({ id }) => id in failed !== wanted)
        .map(({ id }) => `<member>${member(id)}</member>`)
        .join("");
    const successful = members(true, (id) => `<Id>${id}</Id><MessageId>m${id}</MessageId><SequenceNumber>1</SequenceNumber>`);
    const refused = members(
      false,
      (id) => `<Id>${id}</Id><Code>${failed[id]}</Code><Message>why</Message><SenderFault>true</SenderFault>`,
    );
    return xml(
      `<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult><Successful>${successful}</Successful>` +
        `<Failed>${refused}</Failed></PublishBatchResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishBatchResponse>`,
    );
  };
  const refusal = (code: string, message: string, status = 400) =>
    xml(
      `<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>${code}</Code>` +
        `<Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
      status,
    );

  before(async () => {
    server = await recordedServer((_request, body) => {
      const form = new URLSearchParams(body);
      expect([form.get("Action"), form.get("TopicArn")]).to.deep.equal(["PublishBatch", topicArn]);
      const messages: Message[] = [];
      for (let index = 1; form.has(`PublishBatchRequestEntries.member.${index}.Id`); index++) {
        const field = (name: string) => form.get(`PublishBatchRequestEntries.member.${index}.${name}`) ?? "";
        messages.push({
          id: field("Id"),
          message: field("Message"),
          group: field("MessageGroupId"),
          deduplication: field("MessageDeduplicationId"),
        });
      }
      calls.push(messages);
      return answer(messages);
    });
    client = new SNS({ ...SETTINGS, endpoint: server.url });
  });

  beforeEach(() => {
    calls.length = 0;
    answer = taken;
  });

  after(async () => {
    client.destroy();
    await server.close();
  });

  const digestOf = (text: string) => createHash("sha256").update(text).digest("hex");

  it("puts an aggregate's events into one group, one in a call at most, each under an id that stays the same", async () => {
    expect(await publishParcels(new SnsPublisher(client, { topicArn }), ["a", "b", "c"], 4)).to.equal(12);
    expect(calls.map(({ length }) => length)).to.deep.equal([3, 3, 3, 3]);
    for (const messages of calls) expect(new Set(messages.map(({ group }) => group)).size).to.equal(messages.length);
    for (const { message, group, deduplication } of calls.flat()) {
      const { id, partitionkey } = JSON.parse(message);
      expect([group, deduplication]).to.deep.equal([digestOf(partitionkey), digestOf(id)]);
      // What SNS takes: 128 letters, digits and signs.
      expect(group).to.match(/^[0-9a-f]{64}$/);
    }
  });

  it("gets on with one aggregate's events, although a slow topic takes only some of them within the deadline", async () => {
    const numbers: number[] = [];
    const slow: ISns = {
      publishBatch: async ({ PublishBatchRequestEntries: entries }, { abortSignal }) => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        if (abortSignal.aborted) throw new Error("aborted");
        for (const { Message } of entries) numbers.push(JSON.parse(Message).data.number);
        return { Successful: entries };
      },
    };
    const store = new MemoryEventStore();
    await pack(store, "acme", ["a"], 10);
    const settings = { aggregates: [Parcel], source: "https://post.example", deadline: 150 };
    const publisher = new EventPublisher(new SnsPublisher(slow, { topicArn }), settings);
    expect(await pollUntilIdle(new StreamReader(store), "acme", "aws", [publisher])).to.equal(10);
    expect(numbers).to.deep.equal(Array.from({ length: 10 }, (_, number) => number));
  });

  it("sends no later event of an aggregate once an earlier one has failed", async () => {
    const events = ["a", "b", "a", "b"].map((parcel, number) => outgoingEvent("acme", parcel, number));
    answer = (messages) => taken(messages, { 1: "InternalError" });
    const { acknowledged, failed } = await new SnsPublisher(client, { topicArn }).publish(events, never);
    expect([acknowledged, (failed as Error).message]).to.deep.equal([1, "SNS did not take the event: InternalError: why"]);
    expect(calls).to.have.length(1);
  });

  it("knows what is the event's own fault", async () => {
    const publisher = new SnsPublisher(client, { topicArn });
    const events = [outgoingEvent("acme", "a", 0)];
    for (const [code, message] of [
      ["InvalidParameter", "Invalid parameter: Message too long"],
      ["BatchRequestTooLong", "The length of all the batch messages put together is more than the limit."],
    ] as const) {
      answer = () => refusal(code, message);
      expect((await publisher.publish(events, never)).refused, code).to.be.instanceOf(Error);
    }
    for (const [code, status] of [
      ["InvalidParameter", 400],
      ["AuthorizationError", 403],
      ["NotFound", 404],
      ["Throttled", 429],
      ["InternalError", 500],
    ] as const) {
      answer = () => refusal(code, "no", status);
      const outcome = await publisher.publish(events, never);
      expect([outcome.acknowledged, outcome.refused], code).to.deep.equal([0, undefined]);
      expect(outcome.failed).to.be.instanceOf(Error);
    }
  });

  it("says what is wrong with its options", () => {
    expect(thrown(Err, () => new SnsPublisher({} as ISns, { topicArn })).message).to.contain("client");
    expect(thrown(Err, () => new SnsPublisher(client, { topicArn: topicArn.replace(".fifo", "") })).message).to.contain(".fifo");
  });
});
