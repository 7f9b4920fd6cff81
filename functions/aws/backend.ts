import type { IEventStore } from "../../core/index.ts";
import { app } from "../app.ts";
import { bearerAuthenticator } from "../auth.ts";
import { compose, examples, type Service } from "../composition.ts";
import type { EdgeSettings } from "../edge-settings.ts";
import { jsonLog, type Log, logTracer } from "../log.ts";
import type { SweepPlace } from "../sweep.ts";
import type { Fetch } from "./http-handler.ts";
import { type IssuerSettings, jwksVerifier } from "./jwks.ts";
import type { AwsSettings } from "./settings.ts";

/** How long one request to DynamoDB may take to connect, and to be answered, in ms; the store has a deadline of its own above these. */
const CONNECTION_TIMEOUT = 1_000;
const REQUEST_TIMEOUT = 2_500;

/** Lambda keeps each line of standard output as one entry. */
export const lambdaLog: Log = jsonLog((line) => process.stdout.write(line));

/** A store, and the place of the sweep beside it. */
export interface OpenedStore {
  readonly store: IEventStore;
  readonly place: SweepPlace;
}

/** Opens the DynamoDB store of a function; the SDK is loaded here and nowhere else. */
export async function openStore({ table }: Pick<AwsSettings, "table">): Promise<OpenedStore> {
  const [{ DynamoDBClient }, { DynamoDBDocument }, { DynamoDbEventStore, sweepPlace }] = await Promise.all([
    import("@aws-sdk/client-dynamodb"),
    import("@aws-sdk/lib-dynamodb"),
    import("../../adapters/dynamodb/index.ts"),
  ]);
  const client = new DynamoDBClient({
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, throwOnRequestTimeout: true },
  });
  const document = DynamoDBDocument.from(client);
  return { store: new DynamoDbEventStore(document, { table }), place: sweepPlace(document, { table }) };
}

/** Puts the examples to work on a store, as every function of a deployment does. */
export function serviceOn(store: IEventStore, { tenants }: Pick<AwsSettings, "tenants">, log: Log): Service {
  return compose(store, examples, { tracer: logTracer(log), tenants });
}

/** The HTTP application of a deployment; without streams, of which each would hold an instance of its own. */
export function httpApp(service: Service, issuer: IssuerSettings, edge: EdgeSettings, log: Log): Fetch {
  return app({ ...edge, streams: false, service, authenticate: bearerAuthenticator(jwksVerifier(issuer)), log }).fetch;
}
