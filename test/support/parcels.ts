import {
  Aggregate,
  type CommandContext,
  CommandHandler,
  type EventOf,
  type IEventStore,
  type PublishMap,
} from "../../core/index.ts";
import { actorOf } from "./actors.ts";

/** The events of a parcel. */
export type ParcelEvents = {
  Packed: { number: number; note: string };
  Weighed: { grams: number };
  Labelled: { street: string; city: string };
};

/** A parcel: publishes that it was packed as it is, and its label without the street; what it weighs stays inside. */
export class Parcel extends Aggregate<ParcelEvents> {
  static readonly path = "/parcels";
  static readonly access = "tenant";
  static readonly publish: PublishMap<ParcelEvents> = {
    Packed: true,
    Weighed: false,
    Labelled: {
      type: "ParcelAddressed",
      version: 2,
      data: ({ payload }) => (payload.city === "nowhere" ? undefined : { city: payload.city }),
    },
  };
  packed = 0;
  get commands() {
    return {
      Pack: (context: CommandContext<Parcel, { numbers: readonly number[]; note?: string }>) => {
        const { numbers, note = "" } = context.payload;
        for (const number of numbers) context.push("Packed", { number, note });
      },
      Weigh: (context: CommandContext<Parcel, { grams: number }>) => context.push("Weighed"),
      Label: (context: CommandContext<Parcel, { street: string; city: string }>) => context.push("Labelled"),
    };
  }
  get events() {
    return {
      Packed: (event: EventOf<Parcel, "Packed">) => {
        this.packed = event.payload.number;
      },
      Weighed: () => {},
      Labelled: () => {},
    };
  }
}

/** Packs parcels one by one: `each` commits of `events` events on each parcel, numbered on each from `from` on. */
export async function pack(
  store: IEventStore,
  tenant: string,
  parcels: readonly string[],
  each: number,
  events = 1,
  from = 0,
): Promise<void> {
  const handler = new CommandHandler(store, [Parcel]);
  const actor = actorOf(tenant);
  for (let commit = 0; commit < each; commit++) {
    const numbers = Array.from({ length: events }, (_, index) => from + commit * events + index);
    await Promise.all(parcels.map((aggregateId) => handler.command(actor, "Pack", { numbers, aggregateId })));
  }
}
