import type { Context, DynamoDBBatchResponse, DynamoDBRecord } from "aws-lambda";
import { tenantsWithNews } from "../../adapters/dynamodb/index.ts";
import type { Ring } from "../doorbell.ts";
import { errorFacts, type Log } from "../log.ts";

/** What the handler reads of an event of DynamoDB Streams; of each record its keys and its number. */
export interface StreamBatch {
  readonly Records?: readonly Pick<DynamoDBRecord, "dynamodb">[];
}

/** How many tenants are read at the same time. */
const CONCURRENCY = 8;
/** What a handler may need for the commit in hand when its time is over, and Lambda for the answer, in ms. */
const MARGIN = 2_000;
/** The least that a ring is given, in ms, however many tenants wait. */
const LEAST = 500;

/**
 * Makes the Lambda handler of a table's stream: each batch rings once for each tenant in it.
 *
 * What could not be read in time, or failed, comes again: of each such tenant its first record is reported, and Lambda goes back to the
 * earliest of them. Tenants that were served come again with it, and cost a look.
 */
export function streamHandler(ring: Ring, log: Log) {
  return async (batch: StreamBatch, context: Pick<Context, "getRemainingTimeInMillis">): Promise<DynamoDBBatchResponse> => {
    const waiting = [...tenantsWithNews(batch)];
    const unserved = new Set<string>();
    if (waiting.length === 0) return { batchItemFailures: [] };
    const left = () => context.getRemainingTimeInMillis() - MARGIN;
    const lane = async () => {
      for (let tenant = waiting.shift(); tenant !== undefined; tenant = waiting.shift()) {
        // An equal share of what is left, so that a tenant with much to read leaves time to the others.
        const budget = Math.min(left(), Math.max(LEAST, left() / Math.ceil((waiting.length + 1) / CONCURRENCY)));
        if (!(await isServed(ring, tenant, Math.floor(budget), log))) unserved.add(tenant);
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, lane));
    return { batchItemFailures: firstRecords(batch, unserved) };
  };
}

async function isServed(ring: Ring, tenant: string, budget: number, log: Log): Promise<boolean> {
  if (budget <= 0) return false;
  try {
    return (await ring(tenant, { budget })).status !== "unfinished";
  } catch (error) {
    log("ERROR", "a doorbell could not be answered", { tenant, error: errorFacts(error) });
    return false;
  }
}

/** The first record of each tenant, as Lambda wants them reported. */
function firstRecords({ Records = [] }: StreamBatch, tenants: ReadonlySet<string>): DynamoDBBatchResponse["batchItemFailures"] {
  const reported = new Map<string, string>();
  for (const record of Records) {
    const number = record.dynamodb?.SequenceNumber;
    const [tenant] = tenantsWithNews({ Records: [record] });
    if (tenant === undefined || number === undefined || !tenants.has(tenant) || reported.has(tenant)) continue;
    reported.set(tenant, number);
  }
  return [...reported.values()].map((itemIdentifier) => ({ itemIdentifier }));
}
