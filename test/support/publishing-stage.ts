import { StreamReader, type StreamReaderOptions } from "../../core/index.ts";
import { EventPublisher, type EventPublisherOptions, type IPublisher } from "../../core/publishing.ts";
import { Parcel } from "./parcels.ts";
import { pollUntilIdle } from "./poll-until-idle.ts";
import type { RecordingBroker } from "./recording-broker.ts";
import type { Stage } from "./stores.ts";

/** What publishes parcels on a stage, by its clock. */
export function publishingOn(stage: Stage) {
  const readerOf = (options: StreamReaderOptions = {}) =>
    new StreamReader(stage.store, { platform: stage.clock, aggregates: [Parcel], ...options });
  return {
    readerOf,
    /** The handlers of a thread that publishes. */
    publishing: (broker: IPublisher, options: Partial<EventPublisherOptions> = {}): EventPublisher[] => {
      const settings = { aggregates: [Parcel], source: "https://post.example/", platform: stage.clock };
      return [new EventPublisher(broker, { ...settings, ...options })];
    },
    /** Reads along until every commit has appeared, so that the polls to come find them at once on every store; returns their positions. */
    settled: async (tenant: string): Promise<readonly number[]> => {
      await pollUntilIdle(readerOf(), tenant, "before", [{ name: "nothing", events: {} }]);
      return (await readerOf().read(tenant, 0)).commits.map(({ position }) => position);
    },
  };
}

/** Numbers of the events that arrived, by parcel. */
export function arrived(broker: RecordingBroker): Readonly<Record<string, readonly number[]>> {
  const numbers: Record<string, number[]> = {};
  for (const { subject, data } of broker.cloudEvents) {
    const list = numbers[subject] ?? [];
    numbers[subject] = list;
    list.push((data as { number: number }).number);
  }
  return numbers;
}
