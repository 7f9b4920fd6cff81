import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DynamoDbEventStore } from "../../adapters/dynamodb/index.ts";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { MemoryEventStore } from "../../adapters/memory/index.ts";
import { SqliteEventStore } from "../../adapters/sqlite/index.ts";
import { defaultPlatform, type IEventStore } from "../../core/index.ts";
import { AwkwardEventStore } from "../support/awkward-event-store.ts";
import { DynamoDbModel } from "../support/dynamodb-model.ts";
import { hasDynamoDb } from "../support/dynamodb-server.ts";
import { dynamoDbTable, tableAt } from "../support/dynamodb-store.ts";
import { firestoreKinds } from "../support/firestore-kind.ts";
import { firestoreClient, newProject } from "../support/firestore-store.ts";

/** Several stores on one database, as several processes have them; and what gives back all that they took. */
export interface Ground {
  readonly stores: readonly IEventStore[];
  readonly close: () => Promise<void>;
}

/** A database for all runs of a suite: each run takes stores of its own on it, and tenants that nobody used. */
export interface Grounds {
  readonly take: (now: () => number) => Promise<Ground>;
  readonly close: () => Promise<void>;
}

/** One kind of database that a model is compared with. */
export interface GroundKind {
  readonly name: string;
  /** How many short runs take some seconds on it, not 10: what CI has time for. */
  readonly runs: number;
  readonly open: () => Promise<Grounds>;
}

const nothing = async () => {};

/** Every kind of database there is, the memory store first. */
export const GROUNDS: readonly GroundKind[] = [
  {
    name: "the memory store",
    runs: 500,
    open: alone(async (now) => ({ stores: [new MemoryEventStore({ now })], close: nothing })),
  },
  {
    name: "the awkward store",
    runs: 200,
    open: alone(async (now) => ({
      stores: [new AwkwardEventStore(new MemoryEventStore({ now }), { seed: 11, now })],
      close: nothing,
    })),
  },
  { name: "two connections to one SQLite file", runs: 50, open: alone(sqlite) },
  {
    name: "two stores on a model of DynamoDB",
    runs: 200,
    open: alone(async (now) => {
      const table = new DynamoDbModel().direct();
      return { stores: [0, 1].map(() => new DynamoDbEventStore(table, { table: "model", now })), close: nothing };
    }),
  },
  ...(hasDynamoDb() ? [{ name: "two clients of DynamoDB", runs: 10, open: dynamoDb }] : []),
  ...(firestoreKinds().length > 0 ? [{ name: "two clients of Firestore", runs: 3, open: firestore }] : []),
];

/** The name of a tenant that nobody used. */
export function unusedTenant(): string {
  return `t${defaultPlatform.newId()}`;
}

/** A database that is made anew for each run. */
function alone(take: Grounds["take"]): () => Promise<Grounds> {
  return async () => ({ take, close: nothing });
}

async function sqlite(now: () => number): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "evenant-ground-"));
  const stores = [0, 1].map(() => new SqliteEventStore({ path: join(folder, "db"), now }));
  return {
    stores,
    close: async () => {
      for (const store of stores) await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function dynamoDb(): Promise<Grounds> {
  const first = await dynamoDbTable();
  const tables = [first, tableAt(first.endpoint, first.table)];
  return {
    take: async (now) => ({ stores: tables.map((table) => table.store({ now })), close: nothing }),
    close: async () => {
      for (const table of tables) table.close();
    },
  };
}

async function firestore(): Promise<Grounds> {
  const project = newProject();
  const clients = [await firestoreClient(project), await firestoreClient(project)];
  // The first request on a cold machine may take longer than a store's deadline allows.
  for (const client of clients) await client.collection("tenants").limit(1).get();
  return {
    take: async (now) => ({ stores: clients.map((client) => new FirestoreEventStore(client, { now })), close: nothing }),
    close: async () => {
      for (const client of clients) await client.terminate();
    },
  };
}
