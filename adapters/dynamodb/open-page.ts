import { Err, StoreError, TenantError, type TenantStatus } from "../../core/index.ts";
import type { Item } from "./client.ts";
import { openPageKey, pageKey, type Ref, refText } from "./keys.ts";
import { type Budget, type Expression, numberIn } from "./requests.ts";
import { putItem, updateItem } from "./writes.ts";

/** Refs in a full page: about 1 KB, so that a ticket, which is charged for the whole open page, stays within one or two units. */
export const PAGE_SIZE = 16;
/** The most pages that one trim moves: its update names every ref, and an expression may have 300 operands. */
const PAGES_PER_TRIM = 8;
/** How many times a trim goes on at once where the page is much too long. */
const TRIMS = 16;

/** The item that a tenant's order ends in, and that says whether the tenant is open. */
export interface OpenPage {
  readonly status: TenantStatus;
  /** The position before the first ref here. */
  readonly base: number;
  /** The position of the last ref: the number of tickets, doubled ones included. */
  readonly count: number;
  readonly refs: readonly string[];
  /** The position before the tenant's present life: earlier ones were erased. */
  readonly start: number;
  /** Counts the tenant's erasures. */
  readonly life: number;
  /** Where the fences of threads begin: beyond those of earlier lives. */
  readonly firstFence: number;
  readonly erasedAt: number;
  /** Whether everything of the erased tenant is gone. */
  readonly isSwept: boolean;
  /** The import that may fill the tenant. */
  readonly importId: string;
}

/** The open page of a tenant whose data may be read. */
export type ReadablePage = OpenPage & { readonly status: "open" | "suspended" };

/** Whether a tenant's data may be read. */
export function isReadable(page: OpenPage | undefined): page is ReadablePage {
  return page?.status === "open" || page?.status === "suspended";
}

/** The open page in its item. */
export function openPageOf(item: Item): OpenPage;
export function openPageOf(item: Item | undefined): OpenPage | undefined;
export function openPageOf(item: Item | undefined): OpenPage | undefined {
  if (item === undefined) return undefined;
  return {
    status: item.status as TenantStatus,
    base: numberIn(item, "base"),
    count: numberIn(item, "count"),
    refs: item.refs as readonly string[],
    start: numberIn(item, "start"),
    life: numberIn(item, "life"),
    firstFence: numberIn(item, "firstFence"),
    erasedAt: (item.erasedAt as number | undefined) ?? 0,
    isSwept: item.isSwept === true,
    importId: (item.importId as string | undefined) ?? "",
  };
}

/** The item of an open page; a swept, erased one where nothing else is said. */
export function openPageItem(tenant: string, page: Partial<OpenPage>): Item {
  const fresh = { status: "open", base: 0, count: 0, refs: [], start: 0, life: 0, firstFence: 0, erasedAt: 0, importId: "" };
  return { ...openPageKey(tenant), ...fresh, ...page };
}

/** That a tenant still is as it was seen: in the same status and life, of the same import and the same erasure. */
export function stillAs({ status, life, importId, erasedAt }: OpenPage): Expression {
  return {
    expression:
      "#status = :wasStatus AND #life = :wasLife AND (attribute_not_exists(#importId) OR #importId = :wasImport) AND (attribute_not_exists(#erasedAt) OR #erasedAt = :wasErased)",
    values: { ":wasStatus": status, ":wasLife": life, ":wasImport": importId, ":wasErased": erasedAt },
  };
}

/** A turn in the order: the position of its first ref, and the open page after it. */
export interface Ticket {
  readonly first: number;
  readonly page: OpenPage;
}

/**
 * Appends refs to the tenant's order and returns the position of the first: the only step in which writers meet, and the database queues
 * them. A ticket whose reply was lost is taken again; then the earlier refs stay void, because their commits carry the later positions.
 * @throws {TenantError} unless the tenant is open.
 */
export async function takeTicket(budget: Budget, tenant: string, refs: readonly Ref[]): Promise<Ticket> {
  const append = updateItem(
    budget,
    openPageKey(tenant),
    {
      expression: "SET #refs = list_append(#refs, :refs) ADD #count :taken",
      values: { ":refs": refs.map(refText), ":taken": refs.length },
    },
    { expression: "#status = :open", values: { ":open": "open" } },
    "ALL_NEW",
  );
  const outcome = await append.catch(refuseTicket);
  if (!outcome.isDone) throw new TenantError(tenant, openPageOf(outcome.found)?.status ?? "absent");
  const page = openPageOf(outcome.attributes as Item);
  return { first: page.count - refs.length + 1, page };
}

/** A ticket without its commit is nothing: whatever became of it, nothing was written. */
function refuseTicket(error: unknown): never {
  if (!Err.is(error, "store")) throw error;
  throw new StoreError(error.message, { retryable: error.retryable, cause: error.cause });
}

/** Whether the ticket that was taken filled a page: then its owner trims, so that writers do not all do it at once. */
export function filledPage({ refs }: OpenPage, taken: number): boolean {
  return Math.floor(refs.length / PAGE_SIZE) > Math.floor((refs.length - taken) / PAGE_SIZE);
}

/**
 * Moves the oldest refs to full pages: puts each page, then removes its refs, if nobody did meanwhile. No transaction, for it would fail
 * concurrent tickets. A page's content follows from its position, so two trimmers, or one that crashed, write the same.
 */
export async function trim(budget: Budget, tenant: string, seen: OpenPage): Promise<void> {
  let page = seen;
  for (let times = 0; times < TRIMS && page.refs.length >= PAGE_SIZE; times++) {
    const { base, refs } = page;
    const pages = Math.min(PAGES_PER_TRIM, Math.floor(refs.length / PAGE_SIZE));
    const moved = pages * PAGE_SIZE;
    const items = Array.from({ length: pages }, (_, n) => ({
      ...pageKey(tenant, base + n * PAGE_SIZE + 1),
      refs: refs.slice(n * PAGE_SIZE, (n + 1) * PAGE_SIZE),
    }));
    // Where there is something already, it is the same page, or what is left of an erased one. They have no order among them.
    await Promise.all(items.map((item) => putItem(budget, item, { expression: "attribute_not_exists(pk)" })));
    // From the last to the first: the database means the list as it was, but dynoxide removes one after another.
    const places = Array.from({ length: moved }, (_, n) => `#refs[${moved - 1 - n}]`);
    const outcome = await updateItem(
      budget,
      openPageKey(tenant),
      { expression: `REMOVE ${places.join(", ")} SET #base = :next`, values: { ":next": base + moved } },
      { expression: "#base = :base AND #status = :open", values: { ":base": base, ":open": "open" } },
      "ALL_NEW",
    );
    if (!outcome.isDone) return;
    page = openPageOf(outcome.attributes as Item);
  }
}
