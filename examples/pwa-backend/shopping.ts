import {
  Aggregate,
  type CommandContext,
  Err,
  type EventOf,
  type PositionedCommit,
  Projection,
  type ProjectionEvents,
} from "../../core/index.ts";

/** What happens to an item of a team's shopping list. */
export type ItemEvents = {
  ItemAdded: { text: string };
  OneMoreWanted: Record<string, never>;
  ItemBought: Record<string, never>;
  ItemRemoved: Record<string, never>;
};

/** One thing that a team wants to buy. */
export class Item extends Aggregate<ItemEvents> {
  static readonly path = "/items";
  static readonly access = { AddItem: ["member"], WantOneMore: ["member"], BuyItem: ["member"], RemoveItem: ["member"] } as const;

  text = "";
  isGone = false;

  get commands() {
    return {
      AddItem: (context: CommandContext<Item, { text: string }>) => {
        const { text } = context.payload;
        if (typeof text !== "string" || text.trim() === "") throw Err.missingArgument("text");
        if (this.text !== "") throw Err.precondition(`item ${context.aggregateId} is on the list already: want one more of it`);
        context.push("ItemAdded", { text });
      },
      WantOneMore: (context: CommandContext<Item>) => {
        this.#mustBeWanted(context.aggregateId);
        context.push("OneMoreWanted", {});
      },
      BuyItem: (context: CommandContext<Item>) => {
        this.#mustBeWanted(context.aggregateId);
        context.push("ItemBought", {});
      },
      RemoveItem: (context: CommandContext<Item>) => {
        if (this.text !== "" && !this.isGone) context.push("ItemRemoved", {});
      },
    };
  }

  get events() {
    return {
      ItemAdded: ({ payload }: EventOf<Item, "ItemAdded">) => {
        this.text = payload.text;
      },
      OneMoreWanted: () => {},
      ItemBought: () => {},
      ItemRemoved: () => {
        this.isGone = true;
      },
    };
  }

  #mustBeWanted(id: string): void {
    if (this.text === "" || this.isGone) throw Err.precondition(`item ${id} is not on the list: add it first`);
  }
}

/** An item as the list shows it. */
export interface ItemView {
  readonly text: string;
  readonly wanted: number;
  readonly bought: number;
  readonly addedBy: string;
}

const idOf = (_event: unknown, commit: PositionedCommit) => commit.id;

/** Keeps each team's list, by the items' ids. */
export class ShoppingList extends Projection<ItemView, ItemEvents> {
  /** Given, because it would be the class's name, which the bundle of the service worker shortens. */
  override readonly name = "shopping-list";
  readonly collection = "shopping";
  override readonly readers = ["member"];

  get events(): ProjectionEvents<ItemView, ItemEvents> {
    return {
      ItemAdded: {
        id: idOf,
        next: (_item, { payload }, { actor }) => ({ text: payload.text, wanted: 1, bought: 0, addedBy: actor.name }),
      },
      OneMoreWanted: { id: idOf, next: (item) => item && { ...item, wanted: item.wanted + 1 } },
      ItemBought: { id: idOf, next: (item) => item && { ...item, bought: item.bought + 1 } },
      ItemRemoved: { id: idOf, next: () => undefined },
    };
  }
}
