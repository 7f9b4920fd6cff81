import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { buildGoogle } from "./build.ts";
import { emulatorEnvironment, firebaseScript } from "./firebase-tools.ts";

/** Without this firebase-tools starts one for extensions too, which looks for them on the internet. */
const ONLY = "firestore,auth,functions";

/** Starts Firebase's emulators with the built functions, as firebase.json says; Ctrl-C stops them. */
async function main(): Promise<void> {
  const root = join(import.meta.dirname, "..", "..");
  const dist = join(root, "dist");
  await buildGoogle({ name: "firebase", folder: join(dist, "functions-firebase"), variables: root });
  const args = [firebaseScript(), "emulators:start", "--project", "demo-evenant", "--only", ONLY, ...process.argv.slice(2)];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...emulatorEnvironment(dist) },
    stdio: "inherit",
  });
  // Ctrl-C comes to the whole group; whoever ends this process alone ends the emulators with it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
}

await main();
