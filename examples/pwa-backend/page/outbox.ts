import type { CommandData, CommandName, PayloadOf } from "../../../core/index.ts";
import { type Client, ClientError, createClient } from "../../../functions/client/index.ts";
import type { Database, Items, QueuedCommand, Session } from "./database.ts";

/** What the page wants to hear of its outbox. */
export interface OutboxEvents {
  /** Something was queued or has left. */
  changed(): void;
  /** The server refused a command for good. */
  refused(command: QueuedCommand, detail: string): void;
  /** The token is not good any more: commands wait until somebody signs in again. */
  signedOut(): void;
}

/** A command that the server has carried out, and at which position. */
interface CarriedOut {
  readonly command: QueuedCommand;
  readonly position: number;
}

/** How long to wait after a failure, in ms: doubling from, up to. */
const SOON = 1_000;
const LATER = 30_000;
/**
 * Sends commands exactly once, also those that were given while there was no network.
 *
 * A command is on the disk before it is sent, with a key that the server remembers: so it may be sent again after a lost answer or a
 * reload, by this tab or another one. Commands on one item go one after another, in the order in which they were given.
 */
export class Outbox {
  readonly #database: Database;
  readonly #session: Session;
  readonly #events: OutboxEvents;
  readonly #over: AbortSignal;
  readonly #client: Client<Items, []>;
  readonly #tabs = new BroadcastChannel("outbox");
  #carriedOut: CarriedOut[] = [];
  #pause = SOON;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(database: Database, session: Session, events: OutboxEvents, over: AbortSignal) {
    this.#database = database;
    this.#session = session;
    this.#events = events;
    this.#over = over;
    this.#client = createClient<Items, []>({ url: location.origin, token: () => session.token });
    this.#tabs.onmessage = ({ data }: MessageEvent<CarriedOut | undefined>) => this.#heard(data);
    over.addEventListener("abort", () => this.#tabs.close());
    addEventListener("online", () => void this.flush(), { signal: over });
  }

  async send<Name extends CommandName<Items>>(name: Name, aggregateId: string, payload: PayloadOf<Items, Name>): Promise<void> {
    await this.#database.queue({ key: crypto.randomUUID(), user: this.#session.id, name, aggregateId, payload });
    this.#tell();
    await this.flush();
  }

  /** The commands that are carried out, but that a list up to this position does not show yet. */
  unseenAt(position: number): readonly QueuedCommand[] {
    this.#carriedOut = this.#carriedOut.filter((one) => one.position > position);
    return this.#carriedOut.map(({ command }) => command);
  }

  /** Sends what waits; one tab at a time, so that the order holds over all tabs. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    const isThrough = await navigator.locks.request("outbox", () => this.#sendAll());
    if (this.#over.aborted) return;
    this.#pause = isThrough ? SOON : Math.min(this.#pause * 2, LATER);
    if (!isThrough) this.#timer = setTimeout(() => void this.flush(), this.#pause);
  }

  async #sendAll(): Promise<boolean> {
    const waiting = await this.#database.queued(this.#session.id);
    const lanes = new Map<string, typeof waiting>();
    for (const one of waiting) {
      const { aggregateId } = one.command;
      lanes.set(aggregateId, [...(lanes.get(aggregateId) ?? []), one]);
    }
    // Together, because items do not depend on each other.
    const outcomes = await Promise.all([...lanes.values()].map((lane) => this.#sendLane(lane)));
    return outcomes.every((isThrough) => isThrough);
  }

  async #sendLane(lane: Awaited<ReturnType<Database["queued"]>>): Promise<boolean> {
    for (const { number, command } of lane) {
      if (this.#over.aborted || !navigator.onLine || !(await this.#attempt(command))) return false;
      await this.#database.remove(number);
      this.#tell();
    }
    return true;
  }

  /** Whether the command is done with: carried out, or refused for good. */
  async #attempt(command: QueuedCommand): Promise<boolean> {
    const { key, name, aggregateId, payload } = command;
    try {
      const data = { ...payload, aggregateId } as CommandData<Items, typeof name>;
      const { position, commitId } = await this.#client.command(name, data, { commandId: key, attempts: 1, signal: this.#over });
      if (commitId !== null && position !== null) this.#tell({ command, position });
      return true;
    } catch (error) {
      if (!(error instanceof ClientError)) return false;
      if (error.code === "unauthenticated") this.#events.signedOut();
      const isRefused = isAboutTheCommand(error) && error.status < 500 && !error.isRetryable;
      if (isRefused) this.#events.refused(command, error.message);
      return isRefused;
    }
  }

  /** All tabs show the same. */
  #tell(carriedOut?: CarriedOut): void {
    this.#heard(carriedOut);
    if (!this.#over.aborted) this.#tabs.postMessage(carriedOut);
  }

  #heard(carriedOut: CarriedOut | undefined): void {
    if (carriedOut?.command.user === this.#session.id) this.#carriedOut.push(carriedOut);
    this.#events.changed();
  }
}

/** Whether the answer says something of the command, and not only of who sends it, when, and through what. */
function isAboutTheCommand({ code, facts }: ClientError): boolean {
  // Not Evenant's answer: a hotel's portal, a proxy.
  if (code === "unexpected" || code === "unauthenticated") return false;
  const isClosedForNow = facts.tenantStatus === "suspended" || facts.tenantStatus === "importing";
  return code !== "tenant" || !isClosedForNow;
}
