import { initializeTestEnvironment, type RulesTestEnvironment } from "@firebase/rules-unit-testing";
import { doc, type Firestore, setLogLevel, writeBatch } from "firebase/firestore";
import { firestoreEmulator } from "./firestore-emulator.ts";
import { newProject } from "./firestore-store.ts";
import type { Identity } from "./rules-identities.ts";
import { IDENTITIES } from "./rules-identities.ts";
import { isAllowed, isEntitled, OPERATIONS, type Operation } from "./rules-operations.ts";
import { PLACES, type Place, SEEDED } from "./rules-places.ts";

/** A project of its own under some rules, with a document at every place of the matrix, and a client for each identity. */
export interface RulesProject {
  readonly environment: RulesTestEnvironment;
  clientOf(identity: Identity): Firestore;
  close(): Promise<void>;
}

/** One question of the matrix. */
export interface Case {
  readonly identity: Identity;
  readonly place: Place;
  readonly operation: Operation;
  readonly isEntitled: boolean;
}

/** Every question: identities x places x operations. */
export function allCases(): readonly Case[] {
  return IDENTITIES.flatMap((identity) =>
    PLACES.flatMap((place) =>
      OPERATIONS.map((operation) => ({ identity, place, operation, isEntitled: isEntitled(identity, place, operation) })),
    ),
  );
}

/** Puts rules to work in a new project. */
export async function rulesProject(rules: string): Promise<RulesProject> {
  // Every denial would be a warning otherwise, and denials are what is asked for.
  setLogLevel("silent");
  const [host = "", port] = (await firestoreEmulator()).host.split(":");
  const environment = await initializeTestEnvironment({
    projectId: newProject(),
    firestore: { host, port: Number(port), rules },
  });
  await environment.withSecurityRulesDisabled(async (context) => {
    const client = context.firestore() as unknown as Firestore;
    const batch = writeBatch(client);
    for (const path of SEEDED) batch.set(doc(client, path), { seeded: true });
    await batch.commit();
  });
  const clients = new Map<Identity, Firestore>();
  return {
    environment,
    clientOf: (identity) => {
      const client = clients.get(identity) ?? newClient(environment, identity);
      clients.set(identity, client);
      return client;
    },
    close: () => environment.cleanup(),
  };
}

/**
 * Asks some questions and returns those that were answered wrongly, as sentences. Reads go at once; the writes of one client one after another, for a
 * denial ends the stream that its SDK writes on, and what was sent behind it is sent a second time: a document that was created would be there already.
 */
export async function wrongAnswers(project: RulesProject, cases: readonly Case[]): Promise<readonly string[]> {
  const writes = new Map<Identity, Promise<unknown>>();
  const answers = cases.map(async (one) => {
    const ask = () => isAllowed(project.clientOf(one.identity), one.place, one.operation, one.identity);
    if (!one.operation.isWriting) return sentences(one, await ask());
    const answer = (writes.get(one.identity) ?? Promise.resolve()).then(ask);
    writes.set(one.identity, answer);
    return sentences(one, await answer);
  });
  return (await Promise.all(answers)).flat();
}

function sentences({ identity, place, operation, isEntitled: expected }: Case, allowed: boolean): readonly string[] {
  return allowed === expected ? [] : [`${identity.name} ${allowed ? "may" : "may not"} ${operation.name}: ${place.path}`];
}

function newClient(environment: RulesTestEnvironment, { name, claims }: Identity): Firestore {
  const context =
    claims === undefined
      ? environment.unauthenticatedContext()
      : environment.authenticatedContext(name.replaceAll(" ", "-"), claims);
  return context.firestore() as unknown as Firestore;
}
