import { ERASED_NAME_REST, StoreError, TenantError, type TenantPage, type TenantStatus } from "../../core/index.ts";
import { openPageKey, REGISTRY, registryKey } from "./keys.ts";
import { isReadable, type OpenPage, openPageItem, openPageOf, stillAs } from "./open-page.ts";
import { getItem, takeItems } from "./reads.ts";
import { Budget, type Expression, textIn } from "./requests.ts";
import { sweep } from "./sweep.ts";
import { Parts, transact, updateItem } from "./writes.ts";

/** The tenant's open page, strongly consistent; undefined where the tenant is absent. */
export async function getOpenPage(budget: Budget, tenant: string): Promise<OpenPage | undefined> {
  return openPageOf(await getItem(budget, openPageKey(tenant)));
}

/** Opens a tenant: registry and open page in one transaction. One read where it is open. @throws {TenantError} */
export async function openTenant(budget: Budget, tenant: string, now: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const page = await getOpenPage(budget, tenant);
    if (page?.status === "open") return;
    if (page?.status === "importing") throw new TenantError(tenant, "importing");
    if (page?.status === "erased") {
      if (now - page.erasedAt < ERASED_NAME_REST) throw new TenantError(tenant, "erased");
      if (!page.isSwept) {
        await sweep(budget.database, tenant, page);
        // However long that took.
        return openTenant(new Budget(budget.database), tenant, now);
      }
    }
    if (await move(budget, tenant, page, { status: "open" })) return;
    await budget.pauseOrThrow(tries);
  }
}

/** Refuses further commits. @throws {TenantError} unless it is open or suspended. */
export async function suspendTenant(budget: Budget, tenant: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const page = await getOpenPage(budget, tenant);
    if (page?.status === "suspended") return;
    if (!isReadable(page)) throw new TenantError(tenant, page?.status ?? "absent");
    if (await move(budget, tenant, page, { status: "suspended" })) return;
    await budget.pauseOrThrow(tries);
  }
}

/** Closes the tenant's log, then removes everything; goes on where an earlier erasure broke off. @throws {TenantError} when absent. */
export async function eraseTenant(budget: Budget, tenant: string, now: number): Promise<void> {
  for (let tries = 0, isClosed = false; ; tries++) {
    const page = await getOpenPage(budget, tenant);
    if (page === undefined) throw new TenantError(tenant, "absent");
    if (page.status === "erased") {
      if (!page.isSwept) await sweep(budget.database, tenant, page);
      return;
    }
    // Closed by this call, then swept by another: what is there now is the name's next life.
    if (isClosed) return;
    isClosed = await move(budget, tenant, page, { status: "erased", erasedAt: now, isSwept: false, importId: "" });
    if (!isClosed) await budget.pauseOrThrow(tries);
  }
}

/** Known tenants after a name. */
export async function tenantPage(
  budget: Budget,
  { after, limit }: { readonly after?: string; readonly limit: number },
): Promise<TenantPage> {
  const { items, hasMore } = await takeItems(budget, { pk: REGISTRY }, after, limit);
  const tenants = items.map((item) =>
    Object.freeze({ tenant: textIn(item, "sk"), status: textIn(item, "status") as TenantStatus }),
  );
  const last = tenants.at(-1);
  return hasMore && last !== undefined ? { tenants, next: last.tenant } : { tenants };
}

/** Writes a tenant's new status, in the registry too, if it still is as it was seen; false where somebody was faster. */
export async function move(
  budget: Budget,
  tenant: string,
  seen: OpenPage | undefined,
  next: Partial<OpenPage> & Pick<OpenPage, "status">,
): Promise<boolean> {
  const parts = new Parts(budget).put({ ...registryKey(tenant), status: next.status });
  if (seen === undefined) parts.put(openPageItem(tenant, next), { expression: "attribute_not_exists(pk)" });
  else parts.update(openPageKey(tenant), assignments(next), stillAs(seen));
  const { isDone } = await transact(budget, parts.items, budget.database.platform.newId());
  return isDone;
}

/** Changes what an open page says beside its refs, if the tenant still is as it was seen. */
export async function amend(budget: Budget, tenant: string, seen: OpenPage, next: Partial<OpenPage>): Promise<void> {
  const outcome = await updateItem(budget, openPageKey(tenant), assignments(next), stillAs(seen));
  if (outcome.isDone) return;
  const status = openPageOf(outcome.found)?.status ?? "absent";
  if (status !== seen.status) throw new TenantError(tenant, status);
  throw new StoreError(`tenant ${tenant} was changed by somebody else meanwhile: try again`, { retryable: true });
}

function assignments(next: Partial<OpenPage>): Expression {
  const names = Object.keys(next) as (keyof OpenPage)[];
  return {
    expression: `SET ${names.map((name) => `#${name} = :${name}`).join(", ")}`,
    values: Object.fromEntries(names.map((name) => [`:${name}`, next[name]])),
  };
}
