import { expect } from "chai";
import type { PositionedCommit } from "../../core/index.ts";
import { type Kind, type Sent, TillModel, type Write } from "./till-model.ts";

/** What one command wrote, in the tenant's order. */
export interface Landed {
  readonly commitId: string;
  readonly key: string | undefined;
  readonly writes: readonly LandedWrite[];
}

interface LandedWrite extends Write {
  readonly version: number;
  /** What is in the till or the safe after it. */
  after: number;
}

/** The commits of an order, by command; each one's writes must stand together. A note stands only behind commits that were rewritten. */
export function landed(commits: readonly Omit<PositionedCommit, "tenant">[]): readonly Landed[] {
  const groups: { commitId: string; key: string | undefined; writes: LandedWrite[] }[] = [];
  for (const { commitId, receipt, type, id, version, events } of commits) {
    if (groups.at(-1)?.commitId !== commitId) groups.push({ commitId, key: receipt?.commandId, writes: [] });
    const payload = events[0]?.payload;
    const cents = (payload === undefined ? 0 : (payload.cents ?? Number(payload.amount) * 100)) as number;
    const isNote = payload === undefined && ({ isNote: true } as const);
    groups.at(-1)!.writes.push({ type: type as Kind, id, version, cents, after: 0, ...isNote });
    const before = commits.filter((commit) => isNote && commit.type === type && commit.id === id && commit.version < version);
    const old = before.filter(({ redactedAt }) => redactedAt === undefined).map((commit) => commit.version);
    expect(old, `versions of ${type} ${id} that are not rewritten, before the note ${version}`).to.deep.equal([]);
  }
  expect(new Set(groups.map(({ commitId }) => commitId)).size, "commits that stand together").to.equal(groups.length);
  return groups;
}

/**
 * The order as the model has it: versions are dense, and each command that is known would have decided at its place as it did, alone.
 * Those that asked for no verification may have decided on something older.
 */
export function serially(groups: readonly Landed[], known: ReadonlyMap<string, Sent>): readonly Write[] {
  const model = new TillModel();
  for (const { commitId, writes } of groups) {
    const sent = known.get(commitId);
    const bare = writes.map(({ type, id, cents, isNote }) => ({ type, id, cents, ...(isNote && { isNote }) }));
    if (sent !== undefined && (sent.verify || !["Compare", "Check", "Empty"].includes(sent.name))) {
      const { key: _, ...once } = sent;
      const before = model.order.length;
      const answer = model.send(once);
      expect(model.order.slice(before), `${JSON.stringify(sent)} at its place: ${JSON.stringify(answer)}`).to.deep.equal(bare);
    } else model.order.push(...bare);
    for (const write of writes) {
      expect(write.version, `the version of ${write.type} ${write.id}`).to.equal(model.version(write.type, write.id));
      write.after = model.cents(write.type, write.id);
    }
  }
  return model.order;
}
