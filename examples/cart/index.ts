export { Cart } from "./cart.ts";
export { cartFeed } from "./cart-feed.ts";
export { type HotProduct, HotProducts } from "./hot-products.ts";
