import type { IDocument } from "../../adapters/dynamodb/index.ts";

/** The same client with some of its methods replaced. */
export function overridden(document: IDocument, methods: Partial<IDocument>): IDocument {
  return {
    get: (input, options) => document.get(input, options),
    query: (input, options) => document.query(input, options),
    batchGet: (input, options) => document.batchGet(input, options),
    put: (input, options) => document.put(input, options),
    update: (input, options) => document.update(input, options),
    transactWrite: (input, options) => document.transactWrite(input, options),
    ...methods,
  };
}

/** The same client, each of whose requests comes after something, which may hold it up or refuse it. */
export function preceded(document: IDocument, before: (method: keyof IDocument, input: unknown) => Promise<void>): IDocument {
  const methods = ["get", "query", "batchGet", "put", "update", "transactWrite"] as const;
  const later = methods.map((method) => {
    const send = document[method] as (input: unknown, options: unknown) => unknown;
    return [
      method,
      async (input: unknown, options: unknown) => before(method, input).then(() => send.call(document, input, options)),
    ];
  });
  return overridden(document, Object.fromEntries(later) as Partial<IDocument>);
}

/** Every request fails this often with an error that says nothing was done, before it is sent. */
export function failingOften(document: IDocument, chance: () => boolean, error: () => Error): IDocument {
  return preceded(document, async () => {
    if (chance()) throw error();
  });
}

/** Batches are read in part only, and tell what is left; now and then nothing of them is read at all. */
export function leavingRests(document: IDocument, keep: (count: number) => number): IDocument {
  return overridden(document, {
    batchGet: async (input, options) => {
      const [[table, { Keys: keys, ...rest }]] = Object.entries(input.RequestItems) as [
        [string, (typeof input.RequestItems)[string]],
      ];
      const kept = keep(keys.length);
      const left = kept < keys.length ? { UnprocessedKeys: { [table]: { Keys: keys.slice(kept), ...rest } } } : {};
      if (kept === 0) return { Responses: {}, ...left };
      return {
        ...(await document.batchGet({ ...input, RequestItems: { [table]: { Keys: keys.slice(0, kept), ...rest } } }, options)),
        ...left,
      };
    },
  });
}
