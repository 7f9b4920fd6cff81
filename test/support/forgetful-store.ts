import { type CommitOutcome, type PendingCommit, StoreError } from "../../core/index.ts";
import { DelegatingStore } from "./delegating-store.ts";

/** A store that at chosen commits gives up at its deadline: whether they were written, nobody is told. */
export class ForgetfulStore extends DelegatingStore {
  /** Asked at each call; `none` = nothing was written, `all` = everything was, undefined = the answer arrives. */
  forgets: () => "none" | "all" | undefined = () => undefined;

  override async commit(tenant: string, pending: readonly PendingCommit[]): Promise<readonly CommitOutcome[]> {
    const forgets = this.forgets();
    if (forgets === undefined) return this.inner.commit(tenant, pending);
    if (forgets === "all") await this.inner.commit(tenant, pending);
    throw new StoreError("the deadline passed before the store answered", { retryable: true, outcome: "unknown" });
  }
}
