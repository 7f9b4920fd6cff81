import type { Address, Commit, LoadOptions, LoadResult } from "../../core/index.ts";
import type { Redaction } from "./log.ts";
import type { Tables } from "./tables.ts";

/** How many commits are loaded or redacted in one go; in between, other work of the process gets its turn. */
const PAGE = 1_000;

/** Loads an aggregate, however long it is. A page after the first sees the commits that came since: they follow without a hole. */
export async function loadAll(tables: Tables, address: Address, options: LoadOptions): Promise<LoadResult> {
  const { client, log } = tables;
  const { limit = Number.MAX_SAFE_INTEGER } = options;
  const { snapshot, ...first } = await client.read(() => log.load(address, options, Math.min(PAGE, limit)));
  const commits: Commit[] = [...first.commits];
  for (let { hasMore } = first; hasMore && commits.length < limit; ) {
    await turn();
    const after = commits.at(-1)?.version ?? -1;
    const most = Math.min(PAGE, limit - commits.length);
    const page = await client.read(() => log.load(address, { ...options, after }, most));
    // The tenant was erased meanwhile: what was read of its earlier life does not fit.
    if (page.life !== first.life) return loadAll(tables, address, options);
    commits.push(...page.commits);
    ({ hasMore } = page);
  }
  const cost = { reads: 1 + commits.length, writes: 0 };
  return { ...(snapshot && { snapshot }), commits: Object.freeze(commits), life: first.life, cost };
}

/** Redacts an aggregate, however long it is; returns the number of its commits. */
export async function redactAll({ client, writer, log }: Tables, address: Address, redaction: Redaction): Promise<number> {
  let count = 0;
  let last: number | undefined = -1;
  while (last !== undefined) {
    const after: number = last;
    const page = await writer.write(() => log.redact(address, after, PAGE, redaction));
    last = page.last;
    count += page.count;
  }
  if (count > 0) await client.forgetDeleted();
  return count;
}

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
