import { contract } from "../contract/index.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { type DynamoDbTable, dynamoDbTable } from "../support/dynamodb-store.ts";

if (hasDynamoDb()) {
  let table: DynamoDbTable;
  contract("DynamoDB", async (now) => {
    table = await dynamoDbTable();
    return table.store({ now });
  });
  after(() => table.close());
}
