import type { Commit, PendingCommit, PositionedCommit } from "../../core/index.ts";

/** A commit that a writer sent, and what it was told. */
export interface Sent {
  readonly commit: PendingCommit;
  /** Decisions of the scheduler before the call began, and when its answer came. */
  readonly startedAt: number;
  ackedAt: number | undefined;
  positions?: readonly number[] | undefined;
  /** The writer was told that nothing of it was written. */
  isRefused: boolean;
}

/** What is wrong with the order that readers saw; empty where all is well. */
export function violations(
  sent: readonly Sent[],
  read: readonly (readonly PositionedCommit[])[],
  histories: readonly (readonly Commit[])[],
): readonly string[] {
  const order = read[0] ?? [];
  return [
    ...differences(read),
    ...numbering(order),
    ...promises(sent, order),
    ...realTime(sent, order),
    ...verifications(sent, order),
    ...storage(order, histories),
  ];
}

function differences(read: readonly (readonly PositionedCommit[])[]): readonly string[] {
  const names = read.map((order) => order.map(nameOf).join(" "));
  return names.every((name) => name === names[0]) ? [] : [`readers differ:\n  ${names.join("\n  ")}`];
}

function numbering(order: readonly PositionedCommit[]): readonly string[] {
  const found: string[] = [];
  const versions = new Map<string, number>();
  let last = 0;
  for (const commit of order) {
    if (commit.position <= last) found.push(`position ${commit.position} comes after ${last}`);
    last = commit.position;
    const next = (versions.get(commit.id) ?? -1) + 1;
    if (commit.version !== next) found.push(`${commit.id} has version ${commit.version} where ${next} is due`);
    versions.set(commit.id, commit.version);
  }
  return found;
}

function promises(sent: readonly Sent[], order: readonly PositionedCommit[]): readonly string[] {
  const found: string[] = [];
  const commandIds = new Map<string, number>();
  for (const { commit, ackedAt, isRefused, positions } of sent) {
    const own = order.filter(({ commitId }) => commitId === commit.commitId);
    const { length } = commit.writes;
    if (ackedAt !== undefined && own.length < length) found.push(`${commit.commitId} was acknowledged and is lost`);
    if (own.length > length) found.push(`${commit.commitId} is doubled`);
    if (own.length > 0 && own.length < length) found.push(`${commit.commitId} is there in part`);
    if (isRefused && own.length > 0) found.push(`${commit.commitId} was refused and is there`);
    const told = positions?.join();
    if (told !== undefined && told !== own.map(({ position }) => position).join())
      found.push(`${commit.commitId} was told ${told}`);
    const commandId = commit.receipt?.commandId;
    if (commandId !== undefined && own.length > 0) commandIds.set(commandId, (commandIds.get(commandId) ?? 0) + 1);
  }
  for (const [commandId, times] of commandIds) if (times > 1) found.push(`commandId ${commandId} was carried out ${times} times`);
  return found;
}

/** Whoever began after another was acknowledged stands behind it. */
function realTime(sent: readonly Sent[], order: readonly PositionedCommit[]): readonly string[] {
  const startedAt = new Map(sent.map(({ commit, startedAt: step }) => [commit.commitId, step]));
  const ackedAt = new Map(sent.map(({ commit, ackedAt: step }) => [commit.commitId, step ?? Infinity]));
  let latest = -1;
  const found: string[] = [];
  for (const commit of order) {
    latest = Math.max(latest, startedAt.get(commit.commitId) ?? 0);
    if ((ackedAt.get(commit.commitId) ?? Infinity) < latest)
      found.push(`${nameOf(commit)} stands behind what began after it was acknowledged`);
  }
  return found;
}

/** A commit stands behind all that it saw of what it verified, and before all else of it. */
function verifications(sent: readonly Sent[], order: readonly PositionedCommit[]): readonly string[] {
  return sent.flatMap(({ commit: { commitId, verified } }) =>
    verified.flatMap(({ id, version }) => {
      const place = order.findIndex((commit) => commit.commitId === commitId);
      if (place < 0) return [];
      const isTrue = order.every((commit, at) => commit.id !== id || at < place === commit.version <= version);
      return isTrue ? [] : [`${commitId} verified ${id} at ${version}, which is not so at its place`];
    }),
  );
}

function storage(order: readonly PositionedCommit[], histories: readonly (readonly Commit[])[]): readonly string[] {
  const stored = histories.flat().map(nameOf).sort().join(" ");
  const delivered = order.map(nameOf).sort().join(" ");
  return stored === delivered ? [] : [`stored and delivered differ:\n  ${stored}\n  ${delivered}`];
}

function nameOf({ id, version, commitId }: Commit): string {
  return `${id}@${version}:${commitId}`;
}
