import type { Acknowledgement, CloudEvent, IPublisher, OutgoingEvent } from "../../core/publishing.ts";

/** A broker in memory, which keeps what it acknowledged and fails as it is told. */
export class RecordingBroker implements IPublisher {
  readonly limits: IPublisher["limits"];
  /** Everything that arrived, in order. */
  readonly received: OutgoingEvent[] = [];
  /** How many events each call carried. */
  readonly calls: number[] = [];
  /** What the next calls answer; absent = they take everything. */
  answer: ((events: readonly OutgoingEvent[]) => Acknowledgement | Promise<Acknowledgement>) | undefined;

  constructor(limits: Partial<IPublisher["limits"]> = {}) {
    this.limits = { events: 100, bytes: 1_000_000, ...limits };
  }

  get cloudEvents(): readonly CloudEvent[] {
    return this.received.map(({ json }) => JSON.parse(json));
  }

  async publish(events: readonly OutgoingEvent[]): Promise<Acknowledgement> {
    this.calls.push(events.length);
    const answer = (await this.answer?.(events)) ?? { acknowledged: events.length };
    this.received.push(...events.slice(0, answer.acknowledged));
    return answer;
  }
}
