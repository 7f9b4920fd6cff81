import type { IDocument, Item } from "../../adapters/dynamodb/index.ts";
import { condition, update } from "./dynamodb-expressions.ts";

type Input<Name extends keyof IDocument> = Parameters<IDocument[Name]>[0];
type Output<Name extends keyof IDocument> = Awaited<ReturnType<IDocument[Name]>>;
/** One part of a transaction, as the store sends it. */
type Part = Input<"transactWrite">["TransactItems"][number];
type Guard = Pick<Input<"put">, "ConditionExpression" | "ExpressionAttributeValues">;

/** A transaction whose conditions held: its writes become visible one by one, and nobody else may write these items meanwhile. */
export interface Applying {
  readonly left: { readonly key: string; readonly item: Item | undefined }[];
}

/**
 * A DynamoDB table in memory, with the documented semantics that a protocol can depend on: each single-item write is atomic and
 * conditional; a transaction is checked as a whole, but readers may see some of its items before others; while it is applied, other
 * writes of its items fail with a conflict; a token makes a transaction count once.
 */
export class DynamoDbModel {
  readonly #items = new Map<string, Item>();
  readonly #locked = new Set<string>();
  readonly #tokens = new Map<string, Applying>();

  /** Every item, for what a test wants to know. */
  get items(): Iterable<Item> {
    return this.#items.values();
  }

  get({ Key }: Input<"get">): Output<"get"> {
    return { Item: this.#items.get(keyOf(Key)) };
  }

  batchGet({ RequestItems }: Input<"batchGet">): Output<"batchGet"> {
    const found = Object.entries(RequestItems).map(([table, { Keys }]) => {
      const items = Keys.map((key) => this.#items.get(keyOf(key))).filter((item) => item !== undefined);
      return [table, items] as const;
    });
    return { Responses: Object.fromEntries(found) };
  }

  /** Sorts what it finds: fine for the few items of a model. */
  query(input: Input<"query">): Output<"query"> {
    const { ":pk": pk, ":from": from, ":to": to } = input.ExpressionAttributeValues as Record<string, string | undefined>;
    const start = input.ExclusiveStartKey?.sk as string | undefined;
    const isForward = input.ScanIndexForward;
    const found: Item[] = [];
    for (const item of this.#items.values()) {
      const sk = item.sk as string;
      if (item.pk !== pk || (from !== undefined && sk < from) || (to !== undefined && sk > to)) continue;
      if (start !== undefined && (isForward ? sk <= start : sk >= start)) continue;
      found.push(item);
    }
    found.sort((a, b) => ((a.sk as string) < (b.sk as string) === isForward ? -1 : 1));
    const limit = input.Limit ?? found.length;
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return {
      Items: items,
      LastEvaluatedKey: found.length > limit && last !== undefined ? { pk: last.pk, sk: last.sk } : undefined,
    };
  }

  put(input: Input<"put">): Output<"put"> {
    const key = keyOf(input.Item);
    this.#checkOne(key, input);
    this.#items.set(key, input.Item);
    return {};
  }

  update(input: Input<"update">): Output<"update"> {
    const key = keyOf(input.Key);
    this.#checkOne(key, input);
    const next = update(input.UpdateExpression)(this.#items.get(key) ?? input.Key, input.ExpressionAttributeValues ?? {});
    this.#items.set(key, next);
    return { Attributes: next };
  }

  /** Checks a transaction and locks its items. What is left is then to be applied, step by step. */
  begin({ TransactItems, ClientRequestToken }: Input<"transactWrite">): Applying {
    const before = this.#tokens.get(ClientRequestToken);
    if (before !== undefined && before.left.length > 0) throw named("TransactionInProgressException");
    if (before !== undefined) return { left: [] };
    const parts = TransactItems.map((part) => ({ part, key: keyOfPart(part) }));
    if (new Set(parts.map(({ key }) => key)).size < parts.length) throw named("ValidationException");
    if (parts.some(({ key }) => this.#locked.has(key))) throw cancelled(parts.map(() => ({ Code: "TransactionConflict" })));
    const reasons = parts.map(({ part, key }) => {
      const item = this.#items.get(key);
      return this.#holds(item, guardOf(part)) ? { Code: "None" } : { Code: "ConditionalCheckFailed", Item: item };
    });
    if (reasons.some(({ Code }) => Code !== "None")) throw cancelled(reasons);
    const left = parts.flatMap(({ part, key }) => {
      this.#locked.add(key);
      return part.ConditionCheck === undefined ? [{ key, item: this.#after(part, key) }] : [{ key, item: this.#items.get(key) }];
    });
    const applying = { left };
    this.#tokens.set(ClientRequestToken, applying);
    return applying;
  }

  /** Makes one write of a transaction visible; which, the caller says. */
  apply(applying: Applying, place: number): void {
    const [write] = applying.left.splice(place, 1);
    if (write === undefined) return;
    if (write.item === undefined) this.#items.delete(write.key);
    else this.#items.set(write.key, write.item);
    this.#locked.delete(write.key);
  }

  /** The same table for whoever needs no scheduler: every request is carried out at once. */
  direct(): IDocument {
    return {
      get: async (input) => this.get(input),
      batchGet: async (input) => this.batchGet(input),
      query: async (input) => this.query(input),
      put: async (input) => this.put(input),
      update: async (input) => this.update(input),
      transactWrite: async (input) => {
        const applying = this.begin(input);
        while (applying.left.length > 0) this.apply(applying, 0);
        return {};
      },
    };
  }

  #after({ Put, Update }: Part, key: string): Item | undefined {
    if (Put !== undefined) return Put.Item;
    if (Update === undefined) return undefined;
    return update(Update.UpdateExpression)(this.#items.get(key) ?? Update.Key, Update.ExpressionAttributeValues ?? {});
  }

  #checkOne(key: string, guard: Guard): void {
    if (this.#locked.has(key)) throw named("TransactionConflictException");
    const item = this.#items.get(key);
    if (this.#holds(item, guard)) return;
    throw Object.assign(named("ConditionalCheckFailedException"), { Item: item });
  }

  #holds(item: Item | undefined, { ConditionExpression: expression, ExpressionAttributeValues: values }: Guard): boolean {
    return expression === undefined || condition(expression)(item, values ?? {});
  }
}

/** An error as the SDK names it, of a request that was sent once. */
export function named(name: string): Error {
  return Object.assign(new Error(name), { name, $metadata: { attempts: 1 } });
}

function cancelled(reasons: readonly { readonly Code: string; readonly Item?: Item | undefined }[]): Error {
  return Object.assign(named("TransactionCanceledException"), { CancellationReasons: reasons });
}

function guardOf({ Put, Update, Delete, ConditionCheck }: Part): Guard {
  return Put ?? Update ?? Delete ?? ConditionCheck ?? {};
}

function keyOfPart({ Put, Update, Delete, ConditionCheck }: Part): string {
  return keyOf(Put?.Item ?? Update?.Key ?? Delete?.Key ?? ConditionCheck?.Key ?? {});
}

function keyOf({ pk, sk }: Item): string {
  return `${String(pk)}\n${String(sk)}`;
}
