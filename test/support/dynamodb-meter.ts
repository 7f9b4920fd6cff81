import type { IDocument } from "../../adapters/dynamodb/index.ts";

/** One request that the database answered. */
export interface Metered {
  readonly action: keyof IDocument;
  readonly input: unknown;
  readonly units: number;
}

const READS: ReadonlySet<keyof IDocument> = new Set(["get", "query", "batchGet"]);

/** Counts what a store asks of the database, in requests and in the capacity units that the database itself reports. */
export class Meter {
  readonly requests: Metered[] = [];

  /** Read and write units, and requests, since the start or the last `reset`. */
  get total(): { readonly reads: number; readonly writes: number; readonly requests: number } {
    let [reads, writes] = [0, 0];
    for (const { action, units } of this.requests) {
      if (READS.has(action)) reads += units;
      else writes += units;
    }
    return { reads, writes, requests: this.requests.length };
  }

  reset(): void {
    this.requests.length = 0;
  }

  /** The same client, metered. */
  through(document: IDocument): IDocument {
    const metered = <Input, Output>(action: keyof IDocument, send: (input: Input, options?: never) => Promise<Output>) => {
      return async (input: Input, options?: unknown): Promise<Output> => {
        const output = await send.call(document, input, options as never);
        this.requests.push({ action, input, units: unitsOf(output) });
        return output;
      };
    };
    return {
      get: metered("get", document.get),
      query: metered("query", document.query),
      batchGet: metered("batchGet", document.batchGet),
      put: metered("put", document.put),
      update: metered("update", document.update),
      transactWrite: metered("transactWrite", document.transactWrite),
    };
  }
}

function unitsOf(output: unknown): number {
  const { ConsumedCapacity: capacity = [] } = output as {
    ConsumedCapacity?: { CapacityUnits?: number } | readonly { CapacityUnits?: number }[];
  };
  const parts = "length" in capacity ? capacity : [capacity];
  return parts.reduce((sum, { CapacityUnits: units = 0 }) => sum + units, 0);
}
