import { type CommitOutcome, Err, type PendingCommit, type PendingWrite, StoreError, TenantError } from "../../core/index.ts";
import { conflictOn } from "./conflict.ts";
import type { Ref } from "./keys.ts";
import { type Lives, missingPredecessor } from "./lives.ts";
import { filledPage, type Ticket, takeTicket, trim } from "./open-page.ts";
import { isTombstone, type OrderRules } from "./order-rules.ts";
import { Budget, type Database, textIn } from "./requests.ts";
import { writeSnapshot } from "./snapshots.ts";
import { commitItem } from "./stored-commit.ts";
import { type Attempt, writeTogether } from "./transaction.ts";
import { putItem } from "./writes.ts";

/** The most refs in one ticket, and their bytes; a ticket is charged for the page that it appends to, which may hold 400 KB. */
const REFS_PER_TICKET = 200;
const BYTES_PER_TICKET = 32 * 1024;
/** How often a commit whose position was voided takes a new one, before its caller should know that the database is too slow. */
const TICKETS = 50;

/** What writing works with. */
export interface WriterSetting {
  readonly database: Database;
  readonly rules: OrderRules;
  readonly lives: Lives;
}

/** Appends pending commits: one ticket for all, then each at its position, side by side. */
export async function writeCommits(
  setting: WriterSetting,
  tenant: string,
  pending: readonly PendingCommit[],
): Promise<readonly CommitOutcome[]> {
  const outcomes: CommitOutcome[] = [];
  for (const group of ticketGroups(pending)) outcomes.push(...(await writeGroup(setting, tenant, group)));
  return outcomes;
}

async function writeGroup(
  setting: WriterSetting,
  tenant: string,
  group: readonly PendingCommit[],
): Promise<readonly CommitOutcome[]> {
  const shared = new Budget(setting.database);
  const refs = group.flatMap(refsOf);
  const ticket = await takeTicket(shared, tenant, refs);
  const { page } = ticket;
  let { first } = ticket;
  // The positions are settled, so the writes need no order among them.
  const writes = group.map((commit) => {
    const position = first;
    first += commit.writes.length;
    return writeAtOrLater(setting, tenant, commit, { first: position, page });
  });
  const trimming = filledPage(page, refs.length) ? trim(shared, tenant, page).catch(ignore) : undefined;
  const outcomes = await Promise.all(writes);
  await trimming;
  const share = { reads: shared.cost.reads / group.length, writes: shared.cost.writes / group.length };
  return outcomes.map((outcome) => {
    if (outcome.status !== "committed" || outcome.cost === undefined) return outcome;
    const { reads, writes: written } = outcome.cost;
    return { ...outcome, cost: { reads: reads + share.reads, writes: written + share.writes } };
  });
}

/** Writes at the position, and takes a new ticket as often as it was voided; what it cannot settle is the outcome, not an error. */
async function writeAtOrLater(
  { database, rules, lives }: WriterSetting,
  tenant: string,
  commit: PendingCommit,
  { first, page }: Ticket,
): Promise<CommitOutcome> {
  const budget = new Budget(database);
  try {
    const isDoubted = lives.note(tenant, page.start, database.platform.now());
    const missing = isDoubted ? await missingPredecessor(budget, tenant, commit) : undefined;
    if (missing !== undefined) return missing;
    for (let tickets = 0, at = first; tickets < TICKETS && budget.hasTime; tickets++) {
      const attempt = await writeAt(budget, rules, tenant, commit, at);
      if (attempt.status === "committed") {
        await writeSnapshots(budget, tenant, commit, attempt.positions ?? []);
        return { ...attempt, cost: budget.cost };
      }
      if (attempt.status !== "voided") return attempt;
      // A tenant that was closed meanwhile gives no ticket, and what is voided can never land: nothing was written.
      const ticket = await takeTicket(budget, tenant, refsOf(commit));
      // Decided in a life that is over, it has no place in the next one.
      if (ticket.page.start !== page.start) throw new TenantError(tenant, "erased");
      at = ticket.first;
    }
    const error = new StoreError("readers voided every position before the commit was there: the database is too slow", {
      retryable: true,
    });
    return { status: "failed", error };
  } catch (error) {
    if (Err.is(error, "store")) return { status: "failed", error };
    if (!Err.is(error, "tenant")) throw error;
    return { status: "failed", error: new StoreError(error.message, { retryable: false, cause: error }) };
  }
}

async function writeAt(
  budget: Budget,
  rules: OrderRules,
  tenant: string,
  commit: PendingCommit,
  position: number,
): Promise<Attempt> {
  const { writes, verified, receipt } = commit;
  const isAlone = writes.length === 1 && verified.length === 0 && receipt === undefined;
  if (!isAlone) return writeTogether(budget, rules, tenant, commit, position);
  const write = writes[0] as PendingWrite;
  for (let tries = 0; ; tries++) {
    const outcome = await putItem(budget, commitItem(tenant, commit, 0, position), rules.write(position));
    if (outcome.isDone) return { status: "committed", positions: [position] };
    const { found } = outcome;
    if (found !== undefined && !isTombstone(found)) {
      if (textIn(found, "commitId") === commit.commitId) return { status: "committed", positions: [found.position as number] };
      return conflictOn(budget, { tenant, ...write });
    }
    if (found !== undefined && (found.sealed as number) >= position) return { status: "voided" };
    // Refused by what is gone by now, as when the tenant is being erased.
    await budget.pauseOrThrow(tries);
  }
}

/** Snapshots come after their commit, because one of a commit that lost would be wrong; they are never a reason to fail. */
async function writeSnapshots(
  budget: Budget,
  tenant: string,
  { writes }: PendingCommit,
  positions: readonly number[],
): Promise<void> {
  // Each is of another aggregate.
  await Promise.all(
    writes.map(async ({ type, id, version, snapshot }, index) => {
      if (snapshot !== undefined) await writeSnapshot(budget, { tenant, type, id }, version, snapshot, positions[index] ?? 0);
    }),
  );
}

function refsOf({ commitId, writes }: PendingCommit): readonly Ref[] {
  return writes.map(({ type, id, version }) => ({ commitId, type, id, version }));
}

/** Groups whose refs fit into one ticket. */
function ticketGroups(pending: readonly PendingCommit[]): readonly (readonly PendingCommit[])[] {
  const groups: PendingCommit[][] = [];
  let refs = Infinity;
  let bytes = 0;
  for (const commit of pending) {
    // An id has at most 256 bytes; counting its letters would do for fewer tickets, never for safety.
    const size = commit.writes.reduce((sum, { type, id }) => sum + type.length + id.length * 3 + 48, 0);
    if (refs + commit.writes.length > REFS_PER_TICKET || bytes + size > BYTES_PER_TICKET) {
      groups.push([]);
      refs = 0;
      bytes = 0;
    }
    groups.at(-1)?.push(commit);
    refs += commit.writes.length;
    bytes += size;
  }
  return groups;
}

function ignore(): void {}
