import type { Firestore } from "@google-cloud/firestore";
import { FirestoreEventStore } from "../adapters/firestore/index.ts";
import { Actor, Aggregate, type CommandContext, CommandHandler, defaultPlatform, type EventOf } from "../core/index.ts";

/** One way to give a tenant's events an order in Firestore. */
export interface Design {
  readonly name: string;
  /** Makes what sends one command on an aggregate, in a process of its own. */
  readonly sender: (client: Firestore, tenant: string) => Promise<(id: string) => Promise<void>>;
}

/** Ours; and two baselines, as small as they can be: what most projects write first, and what the parent library did. */
export const designs: readonly Design[] = [
  { name: "Evenant: the server appends", sender: evenant },
  { name: "a counter document in a transaction", sender: counter },
  { name: "positions from the client's clock (loses events)", sender: clock },
];

class Tally extends Aggregate<{ Counted: { by: number } }> {
  static readonly path = "/tallies";
  static readonly access = "tenant";
  sum = 0;

  get commands() {
    return { Count: (context: CommandContext<Tally, { by: number }>) => context.push("Counted") };
  }

  get events() {
    return {
      Counted: ({ payload }: EventOf<Tally, "Counted">) => {
        this.sum += payload.by;
      },
    };
  }
}

async function evenant(client: Firestore, tenant: string) {
  const store = new FirestoreEventStore(client);
  await store.open(tenant);
  const handler = new CommandHandler(store, [Tally]);
  const actor = new Actor({ id: "bench", tenant, roles: [] });
  return async (id: string) => void (await handler.command(actor, "Count", { by: 1, aggregateId: id }));
}

async function counter(client: Firestore, tenant: string) {
  const counted = client.doc(`counters/${tenant}`);
  const versions = new Map<string, number>();
  return async (id: string) => {
    const version = (versions.get(id) ?? -1) + 1;
    await client.runTransaction(async (transaction) => {
      const position = Number((await transaction.get(counted)).data()?.position ?? 0) + 1;
      transaction.create(client.doc(`counted/${tenant}/events/${id}.${version}`), { position, by: 1 });
      transaction.set(counted, { position });
    });
    versions.set(id, version);
  };
}

async function clock(client: Firestore, tenant: string) {
  const versions = new Map<string, number>();
  return async (id: string) => {
    const version = (versions.get(id) ?? -1) + 1;
    const position = `${Date.now()}-${defaultPlatform.newId()}`;
    await client.doc(`clocked/${tenant}/events/${id}.${version}`).create({ position, by: 1 });
    versions.set(id, version);
  };
}
