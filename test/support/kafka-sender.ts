// Publishes a tenant's events to Kafka from an SQLite file, in a process of its own that can be killed at any moment.
import { Producer, stringSerializers } from "@platformatic/kafka";
import { KafkaPublisher } from "../../adapters/kafka/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { StreamReader } from "../../core/index.ts";
import { EventPublisher } from "../../core/publishing.ts";
import { Parcel } from "./parcels.ts";

const [path = "", bootstrap = "", topic = "", tenant = ""] = process.argv.slice(2);
const store = new SqliteEventStore({ path });
const serializers = stringSerializers;
const producer = new Producer({ clientId: "sender", bootstrapBrokers: [bootstrap], serializers, autocreateTopics: true });
const publisher = new EventPublisher(new KafkaPublisher(producer, { topic }), {
  aggregates: [Parcel],
  source: "https://post.example",
});
const reader = new StreamReader(store);
for (let more = true; more; ) {
  const result = await reader.poll(tenant, "kafka", [publisher], { limit: 10, lease: 1_000 });
  if (result.status === "leased") await new Promise((resolve) => setTimeout(resolve, 50));
  more = result.more || result.status === "leased";
}
await producer.close();
await store.close();
