import { Firestore } from "@google-cloud/firestore";
import { FirestoreEventStore, type FirestoreOptions } from "../../adapters/firestore/index.ts";
import { defaultPlatform } from "../../core/index.ts";
import { firestoreEmulator } from "./firestore-emulator.ts";

/** A client of the emulator, in a project of its own unless one is named, so that specs never see each other's documents. */
export async function firestoreClient(projectId = newProject(), host?: string): Promise<Firestore> {
  const emulator = await firestoreEmulator();
  // Given as settings rather than by the environment, so that clients of several hosts can live side by side.
  return new Firestore({ projectId, host: host ?? emulator.host, ssl: false, customHeaders: { Authorization: "Bearer owner" } });
}

/** The name of a project that nobody used. */
export function newProject(): string {
  return `demo-${defaultPlatform
    .newId()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, "0")}`;
}

/** A store in a project of its own; closing it ends its client. */
export async function firestoreStore(options?: FirestoreOptions, projectId?: string): Promise<FirestoreEventStore> {
  const client = await firestoreClient(projectId);
  return new TerminatingStore(client, options);
}

class TerminatingStore extends FirestoreEventStore {
  readonly #client: Firestore;
  #isClosed = false;

  constructor(client: Firestore, options?: FirestoreOptions) {
    super(client, options);
    this.#client = client;
  }

  override async close(): Promise<void> {
    await super.close();
    if (!this.#isClosed) await this.#client.terminate();
    this.#isClosed = true;
  }
}
