import type { CursorOutcome, CursorUpdate, Lease } from "../../core/index.ts";
import { DelegatingStore } from "./delegating-store.ts";

/** Where a reader dies when it stores its progress: before the write arrives, or after it did and before the answer. */
export type Crash = "before" | "after";

/** A store whose reader dies at chosen cursor commits; the leases that it held stay taken until they end. */
export class CrashingStore extends DelegatingStore {
  /** Asked at each cursor commit; undefined = it goes through. */
  crash: () => Crash | undefined = () => undefined;

  override async commitCursors(lease: Lease, update: CursorUpdate): Promise<CursorOutcome> {
    const crash = this.crash();
    if (crash === "before") throw new Error("the reader died before it stored its progress");
    const outcome = await this.inner.commitCursors(lease, update);
    if (crash === "after") throw new Error("the reader died after it stored its progress");
    return outcome;
  }
}
