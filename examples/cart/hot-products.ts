import { Projection, type ProjectionEvents } from "../../core/index.ts";
import type { CartEvents } from "./cart.ts";

/** How often a product was wanted. */
export interface HotProduct {
  readonly pieces: number;
  readonly times: number;
}

/** Counts how much of each product goes into carts, by the product's name. */
export class HotProducts extends Projection<HotProduct, CartEvents> {
  readonly collection = "hot-products";
  override readonly readers = ["manager"];

  get events(): ProjectionEvents<HotProduct, CartEvents> {
    return {
      CartItemAdded: {
        id: ({ payload }) => payload.product,
        next: (product, { payload }) => ({
          pieces: (product?.pieces ?? 0) + payload.quantity,
          times: (product?.times ?? 0) + 1,
        }),
      },
    };
  }
}
