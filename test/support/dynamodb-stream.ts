import type { DynamoDBRecord } from "aws-lambda";
import { ensureTable } from "../../adapters/dynamodb/index.ts";
import { defaultPlatform } from "../../core/index.ts";
import { dynamoDbEndpoint } from "./dynamodb-server.ts";
import { clientOf, type DynamoDbTable, tableAt } from "./dynamodb-store.ts";

/** A table whose stream of keys is on. */
export interface StreamedTable extends DynamoDbTable {
  /** Every record so far, as Lambda would hand them over, in the order of the stream. */
  records(): Promise<readonly DynamoDBRecord[]>;
}

/** Makes an empty table with a stream. */
export async function streamedTable(): Promise<StreamedTable> {
  const endpoint = await dynamoDbEndpoint();
  const name = `evenant-${defaultPlatform.newId().replaceAll(/[^A-Za-z0-9]/g, "x")}`;
  const maker = clientOf(endpoint);
  await ensureTable(maker, name, { stream: true });
  const { Table } = await maker.describeTable({ TableName: name });
  maker.destroy();
  const arn = Table?.LatestStreamArn;
  if (arn === undefined) throw new Error("the table has no stream");
  return { ...tableAt(endpoint, name), records: () => recordsOf(endpoint, arn) };
}

async function recordsOf(endpoint: string, arn: string): Promise<readonly DynamoDBRecord[]> {
  const ask = asker(endpoint);
  const { StreamDescription } = await ask("DescribeStream", { StreamArn: arn });
  const records: DynamoDBRecord[] = [];
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const start = await ask("GetShardIterator", { StreamArn: arn, ShardId, ShardIteratorType: "TRIM_HORIZON" });
    for (let iterator = start.ShardIterator; iterator !== undefined; ) {
      const { Records = [], NextShardIterator } = await ask("GetRecords", { ShardIterator: iterator });
      records.push(...Records.map((record) => ({ ...record, eventSourceARN: arn })));
      iterator = Records.length === 0 ? undefined : NextShardIterator;
    }
  }
  return records;
}

interface StreamAnswer {
  readonly StreamDescription?: { readonly Shards?: readonly { readonly ShardId: string }[] };
  readonly ShardIterator?: string;
  readonly NextShardIterator?: string;
  readonly Records?: readonly DynamoDBRecord[];
}

/** The streams' API without its SDK, which nothing else here needs. */
function asker(endpoint: string): (operation: string, body: unknown) => Promise<StreamAnswer> {
  return async (operation, body) => {
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": `DynamoDBStreams_20120810.${operation}`,
        "x-amz-date": "20260101T000000Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/local/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=00",
      },
      body: JSON.stringify(body),
    });
    if (response.status !== 200) throw new Error(`${operation}: ${await response.text()}`);
    return (await response.json()) as StreamAnswer;
  };
}
