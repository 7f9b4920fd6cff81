import { type AggregateClass, typeOf } from "../model/aggregate.ts";
import { checkArgument, checkInteger, checkWord } from "../model/arguments.ts";
import type { PositionedCommit, StoredEvent } from "../model/commit.ts";
import { Err } from "../model/errors.ts";
import { checkName } from "../model/ids.ts";
import type { AnyPublishMap } from "../model/publication.ts";
import type { AnyEventHandler, BatchItem, BatchResult, DeliveryPlace } from "../ports/event-handler.ts";
import { defaultPlatform, type IPlatform } from "../ports/platform.ts";
import { within } from "../ports/platform-deadline.ts";
import type { Acknowledgement, IPublisher, OutgoingEvent } from "../ports/publisher.ts";
import type { ITracer } from "../ports/tracer.ts";
import { type BreakerChange, type BreakerOptions, CircuitBreaker } from "./circuit-breaker.ts";
import { type Envelope, outgoing } from "./cloud-event.ts";
import { nextLoad } from "./load.ts";

/** Settings of an event publisher. */
export interface EventPublisherOptions {
  /** The classes whose `static publish` says which of their events are published; an event without an entry is not published. */
  readonly aggregates: readonly AggregateClass[];
  /** The first part of CloudEvents' `source`, which says where the events come from: a URI reference, e.g. `https://shop.example`. */
  readonly source: string;
  /** A prefix for each CloudEvents type, e.g. `com.example.`; default none. */
  readonly typePrefix?: string;
  /** Keeps the cursor; default `EventPublisher`. */
  readonly name?: string;
  /** How long the broker may take for one call, in ms; default 10,000: less than a lease of 30,000. */
  readonly deadline?: number;
  readonly breaker?: BreakerOptions & {
    /** Whether all tenants share one breaker (default: they share the broker), or each has its own (a webhook for each). */
    readonly of?: "all" | "tenant";
  };
  /** Called at each change of the breaker; must not throw. */
  readonly onBreaker?: (change: BreakerChange & { readonly tenant?: string }) => void;
  readonly tracer?: ITracer;
  /** Clock, jitter and sleep; for tests. */
  readonly platform?: IPlatform;
}

/** A batch goes on with its next call only so long, in ms: then what is acknowledged can be stored. */
const PATIENCE = 5_000;

/**
 * An event handler that publishes events as CloudEvents 1.0: at least once each, in order per aggregate.
 *
 * Its cursor passes an event only when the broker has acknowledged it. While the broker fails, events wait, however long, and no attempt
 * is counted. An event that the broker refuses counts as failed: the reader's policy retries it, then halts or parks.
 */
export class EventPublisher implements AnyEventHandler {
  /** Old events published again have their old ids, by which receivers know them. */
  readonly replayable = true;
  readonly name: string;
  readonly events: Readonly<
    Record<string, (tenant: string, event: StoredEvent, commit: PositionedCommit, place: DeliveryPlace) => Promise<void>>
  >;
  readonly #publisher: IPublisher;
  readonly #maps: ReadonlyMap<string, AnyPublishMap>;
  readonly #envelope: Envelope;
  readonly #deadline: number;
  readonly #options: EventPublisherOptions;
  readonly #platform: IPlatform;
  /** By tenant, or one under "". */
  readonly #breakers = new Map<string, CircuitBreaker>();

  /** @throws {Err} that names what is wrong with the publisher or an option. */
  constructor(publisher: IPublisher, options: EventPublisherOptions) {
    checkArgument(typeof publisher?.publish === "function", "publisher", "give an IPublisher, such as a KafkaPublisher");
    const { aggregates, source, typePrefix = "", name = "EventPublisher", platform = defaultPlatform } = options ?? {};
    if (!Array.isArray(aggregates) || aggregates.length === 0) throw Err.missingArgument("aggregates");
    checkArgument(isUriReference(source), "source", "give a URI reference, e.g. https://shop.example");
    checkArgument(typePrefix === "" || isAttribute(typePrefix), "typePrefix", "give a prefix without spaces, e.g. com.example.");
    this.name = checkName(name, "name");
    this.#publisher = publisher;
    this.#maps = new Map(aggregates.map((Type: AggregateClass) => [typeOf(Type), checkedMap(Type)]));
    this.#envelope = { source: source.replace(/\/$/, ""), typePrefix };
    this.#deadline = checkInteger(options.deadline ?? 10_000, "deadline", 1);
    checkWord(options.breaker?.of ?? "all", "breaker.of", "all", "tenant");
    this.#options = options;
    this.#platform = platform;
    this.#breakerOf("");
    const names = [...this.#maps.values()].flatMap((map) => Object.keys(map).filter((event) => map[event]));
    checkArgument(names.length > 0, "aggregates", "give classes that publish something: static publish = { EventName: true }");
    this.events = Object.fromEntries(names.map((event) => [event, this.#publishOne.bind(this)]));
  }

  /** Publishes events in calls as large as the publisher takes, one after another. */
  async batch(tenant: string, items: readonly BatchItem[]): Promise<BatchResult> {
    const end = this.#platform.now() + PATIENCE;
    const make = (item: BatchItem) => outgoing(item, this.#maps.get(item.commit.type) ?? {}, this.#envelope);
    let { limits } = this.#publisher;
    for (let finished = 0; ; ) {
      const { events, places, until, flaw } = nextLoad(items, finished, limits, make);
      if (events.length === 0) return flaw === undefined ? { finished: until } : { finished: until, error: flaw };
      const { acknowledged, ...reason } = await this.#send(tenant, events);
      finished = acknowledged === events.length ? until : (places[acknowledged] as number);
      const isEnough = finished === items.length || this.#platform.now() >= end;
      const isRefused = reason.error !== undefined && reason.retryAt === undefined;
      if (isRefused && events.length > 1) {
        // Any of them may be to blame for all: from here on each goes alone.
        limits = { ...limits, events: 1 };
        continue;
      }
      if (reason.error !== undefined || isEnough) return { finished, ...reason };
    }
  }

  async #publishOne(tenant: string, event: StoredEvent, commit: PositionedCommit, { index }: DeliveryPlace): Promise<void> {
    const { finished, error } = await this.batch(tenant, [{ event, commit, index }]);
    if (finished === 0) throw error;
  }

  /** One call, through the breaker. */
  async #send(
    tenant: string,
    events: readonly OutgoingEvent[],
  ): Promise<{ acknowledged: number } & Omit<BatchResult, "finished">> {
    const breaker = this.#breakerOf(tenant);
    const waitUntil = breaker.enter();
    if (waitUntil !== undefined) {
      const error = new Error("the circuit breaker is open because the broker failed: it is called again at retryAt", {
        cause: breaker.error,
      });
      return { acknowledged: 0, retryAt: waitUntil, error };
    }
    const { acknowledged, refused, failed } = await this.#call(events);
    this.#options.tracer?.trace(() => ({ method: "publish", tenant, handler: this.name, events: events.length, acknowledged }));
    if (failed === undefined || acknowledged > 0) breaker.succeed();
    // A closed one without failures is as good as new, and tenants are many.
    if (failed === undefined && this.#options.breaker?.of === "tenant") this.#breakers.delete(tenant);
    if (refused !== undefined) return { acknowledged, error: refused };
    if (failed === undefined) return { acknowledged };
    return { acknowledged, error: failed, retryAt: breaker.fail(failed) };
  }

  async #call(events: readonly OutgoingEvent[]): Promise<Acknowledgement> {
    try {
      const answer = await within(this.#platform, this.#deadline, (signal) => this.#publisher.publish(events, signal));
      const { acknowledged, refused, failed } = answer;
      checkInteger(acknowledged, "acknowledged", 0, events.length);
      if (acknowledged === events.length) return { acknowledged };
      if (acknowledged === 0 && refused === undefined && failed === undefined)
        throw Err.missingArgument("refused or failed in the answer of publish");
      return answer;
    } catch (failed) {
      return { acknowledged: 0, failed: failed ?? new Error("the broker failed without an error") };
    }
  }

  #breakerOf(tenant: string): CircuitBreaker {
    const { breaker: options = {}, onBreaker, tracer } = this.#options;
    const key = options.of === "tenant" ? tenant : "";
    const known = this.#breakers.get(key);
    if (known !== undefined) return known;
    const report = (change: BreakerChange) => {
      const told = key === "" ? change : { ...change, tenant: key };
      tracer?.trace(() => ({ method: "breaker", handler: this.name, ...told }));
      onBreaker?.(told);
    };
    const breaker = new CircuitBreaker(this.#platform, options, report);
    this.#breakers.set(key, breaker);
    return breaker;
  }
}

function isAttribute(text: unknown): text is string {
  return typeof text === "string" && /^[^\s\p{Cc}]+$/u.test(text);
}

/** Whether a text has only what RFC 3986 lets into a URI. */
function isUriReference(text: unknown): boolean {
  return typeof text === "string" && /^([\w\-.~:/?#[\]@!$&'()*+,;=]|%[\dA-Fa-f]{2})+$/.test(text);
}

/** @throws {Err} `invalid_argument` for an event that the class does not have, and for a shape that is none. */
function checkedMap(Type: AggregateClass): AnyPublishMap {
  const map = Type.publish ?? {};
  const { events } = new Type();
  for (const [name, publication] of Object.entries(map)) {
    const what = `${Type.name}.publish.${name}`;
    checkArgument(Object.hasOwn(events, name), what, `${Type.name} has no such event: correct the name`);
    if (typeof publication === "boolean" || publication === undefined) continue;
    const { type, data, version = 0 } = publication ?? {};
    checkArgument(type === undefined || isAttribute(type), `${what}.type`, "give a string without spaces");
    checkArgument(data === undefined || typeof data === "function", `${what}.data`, "give a function");
    checkInteger(version, `${what}.version`, 0);
  }
  return map;
}
