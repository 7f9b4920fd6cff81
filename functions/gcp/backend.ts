import type { Firestore } from "firebase-admin/firestore";
import { FirestoreEventStore } from "../../adapters/firestore/index.ts";
import { defaultPlatform } from "../../core/index.ts";
import { within } from "../../core/ports/platform-deadline.ts";
import { app } from "../app.ts";
import { bearerAuthenticator } from "../auth.ts";
import { type Composition, compose } from "../composition.ts";
import { doorbell } from "../doorbell.ts";
import { type Log, logTracer } from "../log.ts";
import { type SweepPlace, sweeper } from "../sweep.ts";
import type { GoogleBackend } from "./functions.ts";
import type { GoogleSettings } from "./settings.ts";
import { idTokenVerifier } from "./tokens.ts";

/** Where the sweep keeps its place; no rule opens it to clients. */
const PLACE = "sweeps/tenants";

/** Puts a composition to work on the project's Firestore, for callers with the project's ID tokens. */
export async function googleBackend(composition: Composition, settings: GoogleSettings, log: Log): Promise<GoogleBackend> {
  // Loaded here rather than above: the platform waits for the module, and discovers functions by loading it.
  const [{ getApps, initializeApp }, { getFirestore }] = await Promise.all([
    import("firebase-admin/app"),
    import("firebase-admin/firestore"),
  ]);
  const firebase = getApps()[0] ?? initializeApp();
  const firestore = getFirestore(firebase);
  const store = new FirestoreEventStore(firestore);
  const service = compose(store, composition, { tracer: logTracer(log), tenants: settings.tenants });
  const verify = idTokenVerifier(async () => (await import("firebase-admin/auth")).getAuth(firebase), settings);
  const { fetch } = app({ ...settings.edge, streams: settings.streams, service, authenticate: bearerAuthenticator(verify), log });
  return {
    fetch,
    ring: doorbell({ store, service, log }),
    sweep: sweeper({ store, service, log, place: placeIn(firestore) }),
    budget: settings.budget,
  };
}

/** Makes something once, at the first call; what failed is made anew by the next. */
export function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** Keeps the sweep's place in a document; each request has a deadline in ms, because the SDK would try again for minutes. */
export function placeIn(firestore: Pick<Firestore, "doc">, deadline = 10_000): SweepPlace {
  const place = firestore.doc(PLACE);
  return {
    read: async () => (await within(defaultPlatform, deadline, () => place.get())).get("tenant"),
    write: async (tenant) => {
      await within(defaultPlatform, deadline, () => place.set({ tenant }));
    },
  };
}
