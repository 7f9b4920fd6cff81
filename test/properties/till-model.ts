/** One command as a test sends it. */
export interface Sent {
  readonly name: "Pay" | "Take" | "Carry" | "Mirror" | "Compare" | "Stow" | "Check" | "Draw" | "Hoard" | "Empty";
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

/** The types of what there is. */
export type Kind = "tills" | "safes";

/** One commit on a till or a safe: an event, or the note of a redaction. */
export interface Write {
  readonly type: Kind;
  readonly id: string;
  cents: number;
  readonly isNote?: true;
}

/** An event as readers get it. */
export interface Heard {
  readonly type: Kind;
  readonly id: string;
  readonly version: number;
}

/** The events of an order, with their versions: no notes. */
export function eventsOf(order: readonly Write[]): readonly Heard[] {
  const next = new Map<string, number>();
  return order.flatMap(({ type, id, isNote }) => {
    const version = next.get(`${type}.${id}`) ?? 0;
    next.set(`${type}.${id}`, version + 1);
    return isNote ? [] : [{ type, id, version }];
  });
}

interface Receipt {
  readonly text: string;
  readonly version: number;
  readonly wrote: boolean;
}

type Status = "absent" | "open" | "suspended" | "erased";

/** The type whose command it is. */
export function typeOfCommand(name: Sent["name"]): Kind {
  return name === "Hoard" || name === "Empty" ? "safes" : "tills";
}

/** What a tenant of tills and safes is, in as few words as possible: a list of payments, and the receipts. It shares no code with the engine. */
export class TillModel {
  status: Status = "absent";
  order: Write[] = [];
  receipts = new Map<string, { readonly sent: Sent } & Receipt>();
  /** How many of the events the bell has heard. */
  heard = 0;

  /** The payments of a till or a safe in the order of their versions. */
  of(type: Kind, id: string): readonly Write[] {
    return this.order.filter((write) => write.type === type && write.id === id);
  }

  /** What is in one after a version; without one, now. */
  cents(type: Kind, id: string, version = Number.POSITIVE_INFINITY): number {
    return this.of(type, id)
      .filter((_, index) => index <= version)
      .reduce((sum, { cents }) => sum + cents, 0);
  }

  version(type: Kind, id: string): number {
    return this.of(type, id).length - 1;
  }

  /** The tenant that an import of this one's export makes. */
  copy(): TillModel {
    const copy = new TillModel();
    copy.status = "open";
    copy.order = this.order.map((write) => ({ ...write }));
    copy.receipts = new Map(this.receipts);
    copy.heard = this.heard;
    return copy;
  }

  /** Rewrites all payments of one; where there were some, says so by a note, or that the tenant must be opened first. */
  redact(type: Kind, id: string): { readonly rewritten: number } | { readonly code: "tenant" } {
    const writes = this.of(type, id);
    for (const write of writes) if (!write.isNote) write.cents = 700;
    if (writes.length === 0) return { rewritten: 0 };
    if (this.status === "suspended") return { code: "tenant" };
    this.order.push({ type, id, cents: 0, isNote: true });
    return { rewritten: writes.length };
  }

  /** Carries a command out, or tells its refusal. */
  send(sent: Sent): Answer {
    const { name, id, key, expected } = sent;
    const type = typeOfCommand(name);
    const text = JSON.stringify({ ...sent, key: undefined });
    const receipt = key === undefined ? undefined : this.receipts.get(key);
    const isUnexpected = expected !== undefined && expected !== this.version(type, id);
    const isDenied = !isUnexpected && name === "Draw" && this.cents(type, id) < 300;
    if (receipt !== undefined) {
      // Who is denied is not told what others did with the key.
      if (receipt.text !== text) return { code: isDenied ? "authorization" : "idempotency" };
      const { version, wrote } = receipt;
      return { cents: this.cents(type, id, version), version, events: wrote ? 1 : 0, replayed: true };
    }
    if (isUnexpected) return { code: "concurrency" };
    if (isDenied) return { code: "authorization" };
    const writes = this.#decide(sent);
    if (writes === undefined) return { code: "precondition" };
    const events = writes.filter((write) => write.type === type && write.id === id).length;
    if (writes.length > 0) {
      if (this.status === "suspended" || this.status === "erased") return { code: "tenant" };
      this.status = "open";
      this.order.push(...writes);
      if (key !== undefined) this.receipts.set(key, { sent, text, version: this.version(type, id), wrote: events > 0 });
    }
    return { cents: this.cents(type, id), version: this.version(type, id), events, replayed: false };
  }

  #decide({ name, id, to, amount }: Sent): Write[] | undefined {
    const cents = amount * 100;
    const isShort = cents > this.cents("tills", id);
    const paid = (on: string, much: number): Write => ({ type: "tills", id: on, cents: much });
    const stowed = (on: string, much: number): Write => ({ type: "safes", id: on, cents: much });
    switch (name) {
      case "Pay":
        return [paid(id, cents)];
      case "Take":
        return isShort ? undefined : [paid(id, -cents)];
      case "Carry":
        return isShort ? undefined : [paid(id, -cents), paid(to, cents)];
      case "Mirror":
        return isShort ? undefined : [paid(to, cents)];
      case "Compare":
        return this.cents("tills", to) < this.cents("tills", id) ? [paid(id, 100)] : [];
      case "Stow":
        return isShort ? undefined : [paid(id, -cents), stowed(to, cents)];
      case "Check":
        return this.cents("safes", to) >= this.cents("tills", id) ? [paid(id, 100)] : [];
      case "Draw":
        return [paid(id, -300)];
      case "Hoard":
        return [stowed(id, cents)];
      case "Empty":
        return this.cents("safes", to) > this.cents("safes", id) ? undefined : [stowed(id, -cents)];
    }
  }
}
