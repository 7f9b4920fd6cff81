/** One command as a test sends it. */
export interface Sent {
  readonly name: "Pay" | "Take" | "Carry" | "Mirror" | "Compare";
  readonly id: string;
  readonly to: string;
  readonly amount: number;
  readonly verify: boolean;
  readonly expected?: number;
  readonly key?: string;
}

/** What a command must answer. */
export type Answer =
  | { readonly code: string }
  | { readonly cents: number; readonly version: number; readonly events: number; readonly replayed: boolean };

interface Write {
  readonly id: string;
  cents: number;
}

interface Receipt {
  readonly text: string;
  readonly id: string;
  readonly version: number;
  readonly wrote: boolean;
}

type Status = "absent" | "open" | "suspended" | "erased";

/** What a tenant of tills is, in as few words as possible: a list of payments, and the receipts. It shares no code with the engine. */
export class TillModel {
  status: Status = "absent";
  order: Write[] = [];
  receipts = new Map<string, Receipt>();

  /** The payments of a till in the order of their versions. */
  of(id: string): readonly Write[] {
    return this.order.filter((write) => write.id === id);
  }

  /** What is in a till after a version; without one, now. */
  cents(id: string, version = Number.POSITIVE_INFINITY): number {
    return this.of(id)
      .filter((_, index) => index <= version)
      .reduce((sum, { cents }) => sum + cents, 0);
  }

  version(id: string): number {
    return this.of(id).length - 1;
  }

  copy(): TillModel {
    const copy = new TillModel();
    copy.status = this.status;
    copy.order = this.order.map((write) => ({ ...write }));
    copy.receipts = new Map(this.receipts);
    return copy;
  }

  /** Carries a command out, or tells its refusal. */
  send(sent: Sent): Answer {
    const { id, key, expected } = sent;
    const text = JSON.stringify({ ...sent, key: undefined });
    const receipt = key === undefined ? undefined : this.receipts.get(key);
    if (receipt !== undefined) {
      if (receipt.text !== text) return { code: "idempotency" };
      return {
        cents: this.cents(id, receipt.version),
        version: receipt.version,
        events: receipt.wrote ? 1 : 0,
        replayed: true,
      };
    }
    if (expected !== undefined && expected !== this.version(id)) return { code: "concurrency" };
    const writes = this.#decide(sent);
    if (writes === undefined) return { code: "precondition" };
    if (writes.length > 0) {
      if (this.status === "suspended" || this.status === "erased") return { code: "tenant" };
      this.status = "open";
      this.order.push(...writes);
      const wrote = writes.some((write) => write.id === id);
      if (key !== undefined) this.receipts.set(key, { text, id, version: this.version(id), wrote });
    }
    const events = writes.filter((write) => write.id === id).length;
    return { cents: this.cents(id), version: this.version(id), events, replayed: false };
  }

  #decide({ name, id, to, amount }: Sent): Write[] | undefined {
    const cents = amount * 100;
    const isShort = cents > this.cents(id);
    switch (name) {
      case "Pay":
        return [{ id, cents }];
      case "Take":
        return isShort ? undefined : [{ id, cents: -cents }];
      case "Carry":
        return isShort
          ? undefined
          : [
              { id, cents: -cents },
              { id: to, cents },
            ];
      case "Mirror":
        return isShort ? undefined : [{ id: to, cents }];
      case "Compare":
        return this.cents(to) < this.cents(id) ? [{ id, cents: 100 }] : [];
    }
  }
}
