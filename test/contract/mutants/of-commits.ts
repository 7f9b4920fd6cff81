import type { Address, CommitOutcome, LoadOptions, LoadResult, PendingCommit, Receipt, Snapshot } from "../../../core/index.ts";
import { deepFreeze } from "../../support/deep-freeze.ts";
import { DelegatingStore } from "../../support/delegating-store.ts";
import type { Mutant } from "./mutant.ts";

class IgnoresTenantInReceipts extends DelegatingStore {
  readonly #receipts = new Map<string, Receipt>();

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const outcomes = await this.inner.commit(tenant, pending);
    for (const [index, { receipt }] of pending.entries())
      if (receipt !== undefined && outcomes[index]?.status === "committed") this.#receipts.set(receipt.commandId, receipt);
    return outcomes;
  }

  override async receipt(_tenant: string, commandId: string): Promise<Receipt | undefined> {
    return this.#receipts.get(commandId);
  }
}

class LetsTakenVersionsThrough extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const outcomes = await this.inner.commit(tenant, pending);
    return outcomes.map((outcome) => (outcome.status === "conflict" ? { status: "committed" } : outcome));
  }
}

class ForgetsVerified extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(
      tenant,
      pending.map((commit) => ({ ...commit, verified: [] })),
    );
  }
}

class ForgetsReceipts extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(
      tenant,
      pending.map(({ receipt: _, ...commit }) => commit),
    );
  }
}

class WritesInParts extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const outcomes: CommitOutcome[] = [];
    for (const { writes, verified, receipt, ...facts } of pending) {
      const first = { ...facts, ...(receipt === undefined ? {} : { receipt }), verified, writes: writes.slice(0, 1) };
      const rest = writes.slice(1).map((write) => ({ ...facts, verified: [], writes: [write] }));
      const parts: CommitOutcome[] = [];
      for (const part of [first, ...rest]) parts.push(...(await this.inner.commit(tenant, [part])));
      outcomes.push(parts.find(({ status }) => status !== "committed") ?? { status: "committed" });
    }
    return outcomes;
  }
}

class DoublesResends extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const next: PendingCommit[] = [];
    for (const commit of pending) {
      const writes: PendingCommit["writes"][number][] = [];
      for (const write of commit.writes) {
        const { commits } = await this.inner.load({ tenant, type: write.type, id: write.id }, { after: -1 });
        const isOwn = commits[write.version]?.commitId === commit.commitId;
        writes.push(isOwn ? { ...write, version: commits.length } : write);
      }
      next.push({ ...commit, writes });
    }
    return this.inner.commit(tenant, next);
  }
}

class FailsNeighbours extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    for (const { writes } of pending) {
      for (const { type, id, version } of writes) {
        const actual = (await this.inner.load({ tenant, type, id }, { after: -1 })).commits.length - 1;
        if (actual !== version - 1) return pending.map(() => ({ status: "conflict", type, id, actual }));
      }
    }
    return this.inner.commit(tenant, pending);
  }
}

class ReversesWrites extends DelegatingStore {
  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(
      tenant,
      pending.map((commit) => ({ ...commit, writes: [...commit.writes].reverse() })),
    );
  }
}

class OverwritesSnapshots extends DelegatingStore {
  readonly #last = new Map<string, Snapshot>();

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const outcomes = await this.inner.commit(tenant, pending);
    for (const { writes } of pending.filter((_, index) => outcomes[index]?.status === "committed"))
      for (const { type, id, version, snapshot } of writes)
        if (snapshot !== undefined) this.#last.set(`${tenant}/${type}/${id}`, Object.freeze({ version, ...snapshot }));
    return outcomes;
  }

  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    const snapshot = this.#last.get(`${address.tenant}/${address.type}/${address.id}`);
    const isPart = options?.after !== undefined || options?.upTo !== undefined;
    if (snapshot === undefined || isPart) return this.inner.load(address, options);
    return { ...(await this.inner.load(address, { after: snapshot.version })), snapshot };
  }
}

class CutsLongLoads extends DelegatingStore {
  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    const loaded = await this.inner.load(address, options);
    return { ...loaded, commits: loaded.commits.slice(0, 300) };
  }
}

class MistakesIds extends DelegatingStore {
  readonly #respell: (address: Address) => Address;

  constructor(...[inner, respell]: readonly [DelegatingStore["inner"], (address: Address) => Address]) {
    super(inner);
    this.#respell = respell;
  }

  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    const loaded = await this.inner.load(this.#respell(address), options);
    return { ...loaded, commits: loaded.commits.map((commit) => Object.freeze({ ...commit, ...address })) };
  }

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    return this.inner.commit(
      tenant,
      pending.map((commit) => ({
        ...commit,
        writes: commit.writes.map((write) => ({ ...write, id: this.#respell({ tenant, ...write }).id })),
      })),
    );
  }
}

class ChangesPayloads extends DelegatingStore {
  readonly #change: (json: string) => string;

  constructor(...[inner, change]: readonly [DelegatingStore["inner"], (json: string) => string]) {
    super(inner);
    this.#change = change;
  }

  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    const loaded = await this.inner.load(address, options);
    return { ...loaded, commits: deepFreeze(JSON.parse(this.#change(JSON.stringify(loaded.commits)))) as LoadResult["commits"] };
  }
}

class ReturnsWhatCanBeChanged extends DelegatingStore {
  override async load(address: Address, options?: LoadOptions): Promise<LoadResult> {
    return structuredClone(await this.inner.load(address, options));
  }
}

/** Stores that break what is promised of commits, loads, snapshots and receipts. */
export const OF_COMMITS: readonly Mutant[] = [
  { title: "ignores the tenant in receipts", make: (inner) => new IgnoresTenantInReceipts(inner) },
  { title: "calls a taken version committed", make: (inner) => new LetsTakenVersionsThrough(inner) },
  { title: "forgets what a commit verified", make: (inner) => new ForgetsVerified(inner) },
  { title: "forgets receipts", make: (inner) => new ForgetsReceipts(inner) },
  { title: "writes a commit on several aggregates in parts", make: (inner) => new WritesInParts(inner) },
  { title: "doubles a resend", make: (inner) => new DoublesResends(inner) },
  { title: "fails a group's neighbours with a conflict", make: (inner) => new FailsNeighbours(inner) },
  { title: "reverses the writes of a commit", make: (inner) => new ReversesWrites(inner) },
  { title: "lets an older snapshot take a newer one's place", make: (inner) => new OverwritesSnapshots(inner) },
  { title: "cuts a long load", make: (inner) => new CutsLongLoads(inner) },
  { title: "ignores the case of ids", make: (inner) => new MistakesIds(inner, (a) => ({ ...a, id: a.id.toLowerCase() })) },
  { title: "trims ids", make: (inner) => new MistakesIds(inner, (a) => ({ ...a, id: a.id.trim() })) },
  { title: "decodes ids", make: (inner) => new MistakesIds(inner, (a) => ({ ...a, id: a.id.replaceAll(/%2F/gi, "/") })) },
  { title: "brings texts into normal form", make: (inner) => new ChangesPayloads(inner, (json) => json.normalize("NFC")) },
  { title: "drops empty objects", make: (inner) => new ChangesPayloads(inner, (json) => json.replaceAll("{}", "null")) },
  { title: "returns what can be changed", make: (inner) => new ReturnsWhatCanBeChanged(inner) },
];
