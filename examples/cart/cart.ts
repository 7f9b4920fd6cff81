import * as z from "zod";
import { Aggregate, type CommandContext, checkId, Err, type EventOf, type PublishMap } from "../../core/index.ts";

/** The events of a cart: name -> payload. */
export type CartEvents = {
  CartItemAdded: { product: string; quantity: number };
  /** Whose cart it is: personal, so it stays inside. */
  CartAssigned: { customer: string };
};

const item = z.object({
  product: z.string("give a product's id"),
  quantity: z.int("give an integer").min(1, "give at least 1"),
});
const assignment = z.object({ customer: z.string("give a customer").min(1, "give a customer") });

/** The most pieces of one product in a cart. */
const MAX_QUANTITY = 1_000;

/** A shopping cart; the quantities of the same product add up. */
export class Cart extends Aggregate<CartEvents> {
  static readonly path = "/carts";
  static readonly access = { AddItem: ["user"], AssignCart: ["user"] } as const;
  static readonly schemas = { AddItem: item, AssignCart: assignment };
  static readonly publish: PublishMap<CartEvents> = { CartItemAdded: true, CartAssigned: false };

  customer = "";
  /** Pieces by product. */
  items: Record<string, number> = {};

  get pieces(): number {
    return Object.values(this.items).reduce((sum, quantity) => sum + quantity, 0);
  }

  get commands() {
    return {
      AddItem: (context: CommandContext<Cart, z.infer<typeof item>>) => {
        const { product, quantity } = context.payload;
        checkId(product, "product");
        const sum = quantityOf(this.items, product) + quantity;
        if (sum > MAX_QUANTITY)
          throw Err.precondition(`a cart holds at most ${MAX_QUANTITY} of one product, and ${sum} were wanted`);
        context.push("CartItemAdded", { product, quantity });
      },
      AssignCart: (context: CommandContext<Cart, z.infer<typeof assignment>>) => {
        const { customer } = context.payload;
        if (customer !== this.customer) context.push("CartAssigned", { customer });
      },
    };
  }

  get events() {
    return {
      CartItemAdded: ({ payload: { product, quantity } }: EventOf<Cart, "CartItemAdded">) => {
        this.items = { ...this.items, [product]: quantityOf(this.items, product) + quantity };
      },
      CartAssigned: ({ payload }: EventOf<Cart, "CartAssigned">) => {
        this.customer = payload.customer;
      },
    };
  }
}

/** A product may be named like a member of every object. */
function quantityOf(items: Readonly<Record<string, number>>, product: string): number {
  return Object.hasOwn(items, product) ? (items[product] ?? 0) : 0;
}
