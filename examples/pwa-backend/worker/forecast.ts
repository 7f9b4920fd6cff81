import { MemoryEventStore } from "../../../adapters/memory/index.ts";
import { Actor, type CommandData, CommandHandler, type CommandName, Err, StreamReader } from "../../../core/index.ts";
import { Item, type ItemView, ShoppingList } from "../shopping.ts";

type Items = [typeof Item];

/** A command that waits to be sent. */
export interface Queued {
  readonly name: string;
  readonly aggregateId: string;
  readonly payload: object;
}

/** The list as it will be, and what the domain will refuse. */
export interface Forecast {
  readonly items: readonly (readonly [string, ItemView])[];
  readonly refused: readonly string[];
}

/**
 * Carries the waiting commands out on a list of this device alone: Evenant's core on a store in memory, with the aggregate and the
 * projection that the server runs, so that both decide alike.
 */
export async function forecastOf(items: Forecast["items"], queued: readonly Queued[]): Promise<Forecast> {
  const store = new MemoryEventStore();
  const local = new CommandHandler(store, [Item]);
  const me = new Actor({ id: "me", name: "you", tenant: "here", roles: ["member"] });
  const known = new Map(items);
  const refused: string[] = [];
  for (const [aggregateId, { text, wanted, bought }] of items) {
    await local.command(me, "AddItem", { aggregateId, text });
    for (let one = 1; one < wanted; one++) await local.command(me, "WantOneMore", { aggregateId });
    for (let one = 0; one < bought; one++) await local.command(me, "BuyItem", { aggregateId });
  }
  for (const { name, aggregateId, payload } of queued) {
    try {
      await local.command(me, name as CommandName<Items>, { ...payload, aggregateId } as CommandData<Items, CommandName<Items>>);
    } catch (error) {
      if (!Err.is(error)) throw error;
      refused.push(error.message);
    }
  }
  const reader = new StreamReader(store);
  const list = new ShoppingList();
  while ((await reader.poll("here", "list", [list], { limit: 1_000 })).more);
  const { views } = await reader.views<ItemView>("here", list).list({ limit: 1_000 });
  return { items: views.map(({ id, value }) => [id, { ...value, addedBy: known.get(id)?.addedBy ?? value.addedBy }]), refused };
}
