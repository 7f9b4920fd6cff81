import { DynamoDB } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocument } from "@aws-sdk/lib-dynamodb";
import { DynamoDbEventStore, type DynamoDbOptions, ensureTable, type IDocument } from "../../adapters/dynamodb/index.ts";
import { defaultPlatform } from "../../core/index.ts";
import { dynamoDbEndpoint } from "./dynamodb-server.ts";

/** A table of its own on the server of this process, with clients for it. */
export interface DynamoDbTable {
  readonly table: string;
  readonly endpoint: string;
  readonly client: DynamoDB;
  readonly document: DynamoDBDocument;
  /** Makes a store on the table; `through` stands between the store and the client. */
  readonly store: (options?: Partial<DynamoDbOptions>, through?: (document: IDocument) => IDocument) => DynamoDbEventStore;
  /** Lets go of the connections. */
  readonly close: () => void;
}

/** Makes an empty table; `endpoint` leads to the server another way, such as through a proxy. */
export async function dynamoDbTable(endpoint?: string): Promise<DynamoDbTable> {
  const server = await dynamoDbEndpoint();
  const table = `evenant-${defaultPlatform.newId().replaceAll(/[^A-Za-z0-9]/g, "x")}`;
  const maker = clientOf(server);
  await ensureTable(maker, table);
  maker.destroy();
  return tableAt(endpoint ?? server, table);
}

/** A table that is there already, as another process made it. */
export function tableAt(endpoint: string, table: string): DynamoDbTable {
  const client = clientOf(endpoint);
  const document = DynamoDBDocument.from(client);
  return {
    table,
    endpoint,
    client,
    document,
    store: (options, through = (same) => same) => new DynamoDbEventStore(through(document), { table, ...options }),
    close: () => client.destroy(),
  };
}

/** The credentials are any: the servers of the tests ask for none, but the SDK does. */
export function clientOf(endpoint: string): DynamoDB {
  return new DynamoDB({ endpoint, region: "local", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
}
