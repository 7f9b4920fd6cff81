import { EventPublisher, type EventPublisherOptions, type IPublisher } from "../../core/publishing.ts";
import { Cart } from "./cart.ts";

/** Tells the world what goes into carts, as CloudEvents in the order of each cart: `new KafkaPublisher(producer, { topic: "carts" })`. */
export function cartFeed(broker: IPublisher, options: Partial<EventPublisherOptions> = {}): EventPublisher {
  return new EventPublisher(broker, { name: "CartFeed", aggregates: [Cart], source: "https://shop.example", ...options });
}
