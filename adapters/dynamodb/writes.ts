import type { Item, TransactItem } from "./client.ts";
import { itemOf, type Reason, reasonsOf } from "./failures.ts";
import type { Key } from "./keys.ts";
import { attributes, type Budget, conditional, type Expression } from "./requests.ts";

/** What became of a conditional write; a refusal tells the item that was found. */
export type WriteOutcome =
  | { readonly isDone: true; readonly attributes?: Item | undefined }
  | { readonly isDone: false; readonly found: Item | undefined };

/** What became of a transaction; a refusal tells a reason for each part. */
export type TransactionOutcome = { readonly isDone: true } | { readonly isDone: false; readonly reasons: readonly Reason[] };

/** Puts an item, if the condition holds. After a lost reply it may be refused by what it wrote itself. */
export async function putItem(budget: Budget, item: Item, condition?: Expression): Promise<WriteOutcome> {
  const input = {
    TableName: budget.database.table,
    Item: item,
    ReturnConsumedCapacity: "TOTAL",
    ...conditional(condition),
  } as const;
  return write(budget, () => budget.send(true, (document, options) => document.put(input, options)));
}

/** Updates an item, if the condition holds. */
export async function updateItem(
  budget: Budget,
  { pk, sk }: Key,
  update: Expression,
  condition?: Expression,
  returns?: "ALL_NEW",
): Promise<WriteOutcome> {
  const input = {
    TableName: budget.database.table,
    Key: { pk, sk },
    ...updating(update, condition),
    ReturnConsumedCapacity: "TOTAL",
    ...(returns !== undefined && { ReturnValues: returns }),
  } as const;
  return write(budget, () => budget.send(true, (document, options) => document.update(input, options)));
}

/** Writes several items as a whole, or none. The token (1 to 36 characters) makes a resend within ten minutes count once. */
export async function transact(budget: Budget, items: readonly TransactItem[], token: string): Promise<TransactionOutcome> {
  const input = { TransactItems: [...items], ClientRequestToken: token, ReturnConsumedCapacity: "TOTAL" as const };
  try {
    const { ConsumedCapacity: capacity } = await budget.send(true, (document, options) => document.transactWrite(input, options));
    budget.addWrites(capacity);
    return { isDone: true };
  } catch (error) {
    if ((error as Error).name !== "TransactionCanceledException") throw error;
    return { isDone: false, reasons: reasonsOf(error) };
  }
}

/** The parts of a transaction, for one table. */
export class Parts {
  readonly items: TransactItem[] = [];
  readonly #table: string;

  constructor(budget: Budget) {
    this.#table = budget.database.table;
  }

  put(item: Item, condition?: Expression): this {
    this.items.push({ Put: { TableName: this.#table, Item: item, ...conditional(condition) } });
    return this;
  }

  update({ pk, sk }: Key, update: Expression, condition?: Expression): this {
    this.items.push({ Update: { TableName: this.#table, Key: { pk, sk }, ...updating(update, condition) } });
    return this;
  }

  delete({ pk, sk }: Key): this {
    this.items.push({ Delete: { TableName: this.#table, Key: { pk, sk } } });
    return this;
  }

  check({ pk, sk }: Key, condition: Expression): this {
    this.items.push({
      ConditionCheck: {
        TableName: this.#table,
        Key: { pk, sk },
        ConditionExpression: condition.expression,
        ...conditional(condition),
      },
    });
    return this;
  }
}

async function write(
  budget: Budget,
  send: () => Promise<{
    readonly ConsumedCapacity?: { readonly CapacityUnits?: number | undefined } | undefined;
    readonly Attributes?: Item | undefined;
  }>,
): Promise<WriteOutcome> {
  try {
    const { ConsumedCapacity: capacity, Attributes: found } = await send();
    budget.addWrites(capacity);
    return { isDone: true, attributes: found };
  } catch (error) {
    if ((error as Error).name !== "ConditionalCheckFailedException") throw error;
    return { isDone: false, found: itemOf(error) };
  }
}

function updating(update: Expression, condition: Expression | undefined) {
  const { expression = "", values } = condition ?? {};
  return {
    UpdateExpression: update.expression,
    ...conditional(condition),
    ...attributes(`${update.expression} ${expression}`, { ...update.values, ...values }),
  };
}
