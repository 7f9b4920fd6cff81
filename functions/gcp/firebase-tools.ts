import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findFirestoreJar, writeLauncherJar } from "./firestore-jar.ts";

/** The script of firebase-tools' CLI, to be run by this Node. */
export function firebaseScript(): string {
  return fileURLToPath(import.meta.resolve("firebase-tools/lib/bin/firebase.js"));
}

/**
 * What firebase-tools needs in its environment to run the emulators without the internet and without an account: the launcher of the
 * Firestore emulator, which is written into `folder`, and no question to anybody about news or a newer version.
 */
export function emulatorEnvironment(folder: string, environment = process.env): Record<string, string> {
  const jar = findFirestoreJar(environment);
  const launcher = join(folder, "firestore-launcher.jar");
  if (jar !== undefined) writeLauncherJar(launcher, jar);
  return {
    // Without a JAR of its own firebase-tools downloads one.
    ...(jar !== undefined && { FIRESTORE_EMULATOR_BINARY_PATH: launcher }),
    METADATA_SERVER_DETECTION: "none",
    NO_UPDATE_NOTIFIER: "1",
    // It looks for the message of the day here, where nobody answers.
    FIREBASE_REALTIME_URL: "http://127.0.0.1:9",
    npm_config_offline: "true",
  };
}
