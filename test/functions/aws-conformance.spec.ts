import { app } from "../../functions/app.ts";
import { httpHandler } from "../../functions/aws/http-handler.ts";
import { contextOf, eventOf, responseOf } from "../support/aws-events.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { dynamoDbTable } from "../support/dynamodb-store.ts";
import { httpConformance } from "./conformance/http-conformance.ts";

// The list on DynamoDB takes four times as long, most of it to see that refusals store nothing: so it is asked for.
const isOnDynamoDb = process.env.AWS_CONFORMANCE_STORE === "dynamodb" && hasDynamoDb();

httpConformance(
  `The Lambda handler${isOnDynamoDb ? ", on DynamoDB," : ""}`,
  async (setting) => {
    const handler = httpHandler(app(setting).fetch);
    return {
      fetch: async (request) => {
        // What Lambda sends and gets is JSON: nothing else gets through.
        const event = JSON.parse(JSON.stringify(await eventOf(request)));
        return responseOf(JSON.parse(JSON.stringify(await handler(event, contextOf()))));
      },
      close: async () => {},
    };
  },
  isOnDynamoDb ? { store: async () => (await dynamoDbTable()).store() } : {},
);
