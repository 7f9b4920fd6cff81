import type { Item } from "./client.ts";
import type { Ref } from "./keys.ts";
import type { Expression } from "./requests.ts";

/** What a reader makes of the item that a ref points to. */
export type Verdict = "deliver" | "void" | "in flight";

/**
 * The rules that keep a tenant's order, all of them; who breaks one loses, doubles or misorders an event (`test/adapters` plants each bug).
 *
 * A ticket gives a commit its position q before the commit is there. The item at (aggregate, version) is absent, a commit (`commitId`,
 * `position`), or a tombstone (`sealed`: the highest position it voids). Positions only grow, and each of these conditional writes of one
 * item is atomic, so for every ref the question "did it come to be?" is answered once and for ever by whichever write came first.
 */
export interface OrderRules {
  /** When a commit may be written at q: nothing is there, or a tombstone that voids earlier positions only. */
  readonly write: (position: number) => Expression;
  /** When a ref at q may be voided: as for a write, so that whichever comes first decides. Undefined = always. */
  readonly seal: (position: number) => Expression | undefined;
  /** What the item at a ref's key means for the ref at q. */
  readonly judge: (item: Item | undefined, ref: Ref, position: number) => Verdict;
  /** Whether a ref that was first seen missing so long ago (ms) may be sealed; safe at any time, patience only saves tickets. */
  readonly maySeal: (missingFor: number, grace: number) => boolean;
  /**
   * What a commit at q does to the next version of an aggregate that it verified: puts a tombstone raised to q, or only checks one that
   * is there already. A mere check that nothing is there would let a commit with an earlier ticket land later, before us in the order.
   */
  readonly verify: (position: number, isRaised: boolean) => { readonly raises: boolean; readonly condition: Expression };
}

/** Absent, or a tombstone below q. Other items have no `sealed`, and a comparison with nothing is false. */
function freeAt(position: number): Expression {
  return { expression: "attribute_not_exists(pk) OR #sealed < :q", values: { ":q": position } };
}

export const ORDER_RULES: OrderRules = Object.freeze({
  write: freeAt,
  seal: freeAt,
  judge: (item: Item | undefined, { commitId }: Ref, position: number): Verdict => {
    if (item === undefined) return "in flight";
    const { sealed } = item;
    if (typeof sealed === "number") return sealed >= position ? "void" : "in flight";
    // Another commit, or the same one under another ticket: nothing can be written at this version any more.
    return item.commitId === commitId && item.position === position ? "deliver" : "void";
  },
  maySeal: (missingFor: number, grace: number) => missingFor >= grace,
  verify: (position: number, isRaised: boolean) =>
    isRaised
      ? { raises: false, condition: { expression: "#sealed >= :q", values: { ":q": position } } }
      : { raises: true, condition: freeAt(position) },
});

/** Whether an item is a tombstone rather than a commit. */
export function isTombstone(item: Item): boolean {
  return typeof item.sealed === "number";
}
