import { expect } from "chai";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import type { IEventStore } from "../../core/index.ts";
import { Item, ShoppingList } from "../../examples/pwa-backend/shopping.ts";
import type { Composition } from "../../functions/composition.ts";
import type { StreamSetting } from "../../functions/event-stream-setting.ts";
import { type AnswerBody, type Backend, startBackend, tokenOf } from "./functions-backend.ts";
import { StreamClient } from "./functions-sse.ts";

const shopping: Composition = { aggregates: [Item], threads: { lists: [new ShoppingList()] } };

/** The roles of whoever may read and change the shopping list. */
export const MEMBER: readonly string[] = ["member"];

/** A backend of tenant acme, and the clients of its event streams. */
export class StreamTools {
  backend!: Backend;
  token = "";
  readonly #clients: StreamClient[] = [];

  async start(
    streams: Partial<StreamSetting> = {},
    store: IEventStore = new MemoryEventStore(),
    composition = shopping,
  ): Promise<void> {
    this.token = await tokenOf({ roles: MEMBER });
    // Readers look for new tenants once a second: this one is there when they begin.
    await store.open("acme");
    this.backend = await startBackend({ composition, streams, store });
  }

  open(path: string, { lastId = "", bearer = this.token, views = new Map<string, unknown>() } = {}): StreamClient {
    const client = new StreamClient(`${this.backend.url}${path}`, bearer, lastId, views);
    this.#clients.push(client);
    return client;
  }

  /** Sends a command that must be carried out. */
  async send(name: string, aggregateId: string, payload = {}, bearer = this.token): Promise<AnswerBody> {
    const { status, body } = await this.backend.command(name, { aggregateId, ...payload }, {}, bearer);
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  /** The collection as it is once its keeper has read everything. */
  async collection(): Promise<ReadonlyMap<string, unknown>> {
    const { commits } = await this.backend.store.read("acme", 0, 1_000);
    const path = `/views/shopping?limit=1000&position=${commits.at(-1)?.position ?? 0}`;
    const { body } = await this.backend.send(path, { token: this.token });
    return new Map(body.views.map(({ id, value }) => [id, value]));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.splice(0).map((client) => client.close()));
    await this.backend.close();
  }
}

/** Whether a client was told that it has everything up to a position. */
export function isCaughtUpTo(position: number): (client: StreamClient) => boolean {
  return (client) => client.events.some(({ event, data }) => event === "caught-up" && Number(data.position) >= position);
}
