import type { DynamoDB } from "@aws-sdk/client-dynamodb";
import type { DeployedTable } from "./doctor-checks.ts";

/** Looks at a table, and at what lets its items expire. */
export async function deployedTable(database: DynamoDB, TableName: string, abortSignal: AbortSignal): Promise<DeployedTable> {
  const [{ Table }, { TimeToLiveDescription: ttl }] = await Promise.all([
    database.describeTable({ TableName }, { abortSignal }),
    database.describeTimeToLive({ TableName }, { abortSignal }),
  ]);
  const types = new Map(Table?.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => [AttributeName, AttributeType]));
  return {
    arn: Table?.TableArn ?? "",
    keys: Table?.KeySchema?.map(({ AttributeName, KeyType }) => `${AttributeName} ${KeyType} ${types.get(AttributeName)}`) ?? [],
    isStreaming: Table?.StreamSpecification?.StreamEnabled === true,
    isProtected: Table?.DeletionProtectionEnabled === true,
    ttl: /^ENABL/.test(ttl?.TimeToLiveStatus ?? "") ? ttl?.AttributeName : undefined,
  };
}
