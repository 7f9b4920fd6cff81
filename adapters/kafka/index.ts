export type { IKafkaProducer, KafkaMessage, KafkaSend } from "./client.ts";
export { KafkaPublisher, type KafkaPublisherOptions } from "./publisher.ts";
