import type { IPlatform } from "../../core/index.ts";
import { missingForFirestore } from "./firestore-emulator.ts";
import { firestoreStore } from "./firestore-store.ts";
import type { StoreKind } from "./stores.ts";

/** Firestore among the stores that everything runs on; nothing where its emulator is unwanted, or is missing and CI is not set. */
export function firestoreKinds(): readonly StoreKind[] {
  if (process.env.EVENANT_WITHOUT_EMULATORS) return [];
  const missing = missingForFirestore();
  if (missing !== undefined && !process.env.CI) {
    console.warn(`\n  SKIPPED on Firestore: ${missing}\n`);
    return [];
  }
  return [{ name: "Firestore", make: opened }];
}

async function opened(platform: IPlatform) {
  const store = await firestoreStore({ now: () => platform.now() });
  return { store, close: () => store.close() };
}
