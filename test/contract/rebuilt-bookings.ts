import { expect } from "chai";
import { type AnyHandler, type JsonObject, Projection, type ProjectionEvents, StreamReader } from "../../core/index.ts";
import { pollUntilIdle } from "../support/poll-until-idle.ts";
import type { Ground } from "./clause.ts";
import { listAll } from "./reading.ts";
import { tellerOf, type WalletEvents, walletsOn } from "./wallet.ts";

/** The bookkeeper's next version: it counts too, and also keeps the largest payment; from wallets of a few cents it keeps nothing. */
export class Bookkeeper2 extends Projection<JsonObject, WalletEvents> {
  override readonly name = "Bookkeeper";
  readonly collection = "bookings";
  override readonly version: number;
  /** The amount at which it fails, as long as it is set. */
  refused: number | undefined;

  constructor(version = 1) {
    super();
    this.version = version;
  }

  get events(): ProjectionEvents<JsonObject, WalletEvents> {
    return {
      Paid: {
        id: (_event, commit) => (commit.id === "w0" ? undefined : commit.id),
        next: (view, { payload }) => {
          if (payload.amount === this.refused) throw new Error("it does not fold");
          return {
            balance: Number(view?.balance ?? 0) + payload.amount,
            payments: Number(view?.payments ?? 0) + 1,
            largest: Math.max(Number(view?.largest ?? 0), payload.amount),
          };
        },
      },
    };
  }
}

/** A reader that does not try again. */
export function readerOn({ store, clock }: Pick<Ground, "store" | "clock">): StreamReader {
  return new StreamReader(store, { platform: clock, retries: 0 });
}

/** Deposits 1, 2, 3 … to three wallets in turn, from a number on. */
export async function deposit(ground: Ground, count: number, first = 0): Promise<void> {
  const handler = walletsOn(ground);
  for (let n = first; n < first + count; n++)
    await handler.command(tellerOf(ground.tenant), "Deposit", { amount: n + 1, aggregateId: `w${n % 3}` });
}

/** What the views of either version must be after so many deposits. */
export function expected(deposits: number, version: 0 | 1): Readonly<Record<string, JsonObject>> {
  const views: Record<string, { balance: number; payments: number; largest?: number }> = {};
  for (let n = 0; n < deposits; n++) {
    const id = `w${n % 3}`;
    if (version === 1 && id === "w0") continue;
    const { balance = 0, payments = 0 } = views[id] ?? {};
    views[id] = { balance: balance + n + 1, payments: payments + 1, ...(version === 1 && { largest: n + 1 }) };
  }
  return views;
}

/** What readers see, and what whoever follows the pointer in the database sees. */
export async function seen(ground: Ground): Promise<Readonly<Record<string, unknown>>> {
  const { views } = await readerOn(ground).views(ground.tenant, { collection: "bookings" }).list();
  const [pointer] = await ground.store.views(ground.tenant, "bookings~live").get(["live"]);
  const live = await listAll(ground.store, ground.tenant, String(pointer?.collection ?? "bookings"));
  expect(views).to.deep.equal(live);
  return Object.fromEntries(views.map(({ id, value }) => [id, value]));
}

/** Polls the main thread until there is nothing more. */
export function poll(ground: Ground, handler: AnyHandler): Promise<number> {
  return pollUntilIdle(readerOn(ground), ground.tenant, "main", [handler]);
}
