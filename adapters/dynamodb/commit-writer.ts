import { type CommitOutcome, Err, type PendingCommit, type PendingWrite, StoreError } from "../../core/index.ts";
import { conflictOn } from "./conflict.ts";
import { commitKey, type Ref } from "./keys.ts";
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

const REBORN: CommitOutcome = Object.freeze({ status: "reborn" });

/** What writing works with. */
export interface WriterSetting {
  readonly database: Database;
  readonly rules: OrderRules;
}

/** Appends pending commits: one ticket for all, then each at its position, side by side. */
export async function writeCommits(
  setting: WriterSetting,
  tenant: string,
  pending: readonly PendingCommit[],
): Promise<readonly CommitOutcome[]> {
  const outcomes: CommitOutcome[] = [];
  for (const group of ticketGroups(pending)) {
    const written = writeGroup(setting, tenant, group);
    // The first ticket speaks for the whole call; later ones only for their own, since others are written by then.
    outcomes.push(...(await (outcomes.length === 0 ? written : written.catch((error) => group.map(() => failed(error))))));
  }
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
  { database, rules }: WriterSetting,
  tenant: string,
  commit: PendingCommit,
  { first, page }: Ticket,
): Promise<CommitOutcome> {
  const budget = new Budget(database);
  const life = String(page.life);
  try {
    for (let tickets = 0, at = first; tickets < TICKETS && budget.hasTime; tickets++) {
      const isReborn = commit.life !== undefined && commit.life !== life;
      const attempt = isReborn ? REBORN : await writeAt(budget, rules, tenant, commit, at);
      if (attempt.status === "committed") {
        await writeSnapshots(budget, tenant, commit, attempt.positions ?? []);
        return { ...attempt, life, cost: budget.cost };
      }
      if (attempt.status !== "voided") {
        await voidPlaces(budget, rules, tenant, commit, at, attempt);
        return attempt;
      }
      // A tenant that was closed meanwhile gives no ticket, and what is voided can never land: nothing was written.
      const ticket = await takeTicket(budget, tenant, refsOf(commit));
      at = ticket.first;
      if (ticket.page.life !== page.life) {
        await voidPlaces(budget, rules, tenant, commit, at, REBORN);
        return REBORN;
      }
    }
    const error = new StoreError("readers voided every position before the commit was there: the database is too slow", {
      retryable: true,
    });
    return { status: "failed", error };
  } catch (error) {
    return failed(error);
  }
}

/** What a store or tenant error means for one commit; anything else is a defect, and thrown. */
function failed(error: unknown): CommitOutcome {
  if (Err.is(error, "store")) return { status: "failed", error };
  if (!Err.is(error, "tenant")) throw error;
  return { status: "failed", error: new StoreError(error.message, { retryable: false, cause: error }) };
}

/** Voids the places of a refused commit where nothing else does, so that readers need not wait for them; a hint to them only. */
async function voidPlaces(
  budget: Budget,
  rules: OrderRules,
  tenant: string,
  { writes, verified, receipt }: PendingCommit,
  first: number,
  { status }: CommitOutcome,
): Promise<void> {
  const isTaken = status === "conflict" && writes.length === 1 && verified.length === 0 && receipt === undefined;
  if (isTaken || status === "failed") return;
  const seals = writes.map(({ type, id, version }, index) =>
    putItem(budget, { ...commitKey({ tenant, type, id }, version), sealed: first + index }, rules.seal(first + index)),
  );
  await Promise.all(seals).catch(ignore);
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
