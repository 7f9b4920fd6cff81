import { existsSync, readdirSync, realpathSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { storedZip } from "./stored-zip.ts";

/** The class that starts Google's Firestore emulator. */
export const EMULATOR_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore";

/** Lines of a manifest have at most 72 bytes with their end; what is longer goes on after a space. */
const MANIFEST_LINE = 70;

/** Google's Firestore emulator: named by FIRESTORE_EMULATOR_JAR, of firebase-tools' cache, or beside the real path of `gcloud`. */
export function findFirestoreJar(environment = process.env): string | undefined {
  const named = environment.FIRESTORE_EMULATOR_JAR;
  if (named) return existsSync(named) ? named : undefined;
  const cache = environment.FIREBASE_EMULATORS_PATH ?? join(homedir(), ".cache", "firebase", "emulators");
  const cached = existsSync(cache) ? readdirSync(cache).filter((name) => /^cloud-firestore-emulator-.*\.jar$/.test(name)) : [];
  const newest = cached.sort().at(-1);
  if (newest !== undefined) return join(cache, newest);
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    const gcloud = join(folder, "gcloud");
    if (!existsSync(gcloud)) continue;
    const component = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar";
    const jar = resolve(dirname(realpathSync(gcloud)), "..", component);
    if (existsSync(jar)) return jar;
  }
  return undefined;
}

/**
 * Writes a JAR that starts the emulator by `java -jar`, which the Cloud SDK's own does not: nothing but a manifest that names its main class
 * and where it lies. firebase-tools takes it by FIRESTORE_EMULATOR_BINARY_PATH instead of downloading another.
 */
export function writeLauncherJar(path: string, jar: string): void {
  const lines = ["Manifest-Version: 1.0", `Main-Class: ${EMULATOR_CLASS}`, `Class-Path: ${pathToFileURL(resolve(jar)).href}`].map(
    folded,
  );
  writeFileSync(path, storedZip([{ name: "META-INF/MANIFEST.MF", bytes: Buffer.from(`${lines.join("\r\n")}\r\n\r\n`) }]));
}

/** A URL is ASCII, so characters are bytes. */
function folded(line: string): string {
  const rest = line.slice(MANIFEST_LINE).match(new RegExp(`.{1,${MANIFEST_LINE - 1}}`, "g")) ?? [];
  return [line.slice(0, MANIFEST_LINE), ...rest].join("\r\n ");
}
