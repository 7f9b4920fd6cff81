import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const lock = new URL("package-lock.json", import.meta.url);
const stamp = new URL("node_modules/.installed-lock.json", import.meta.url);

/** Runs `npm ci` for the peers when they are missing or other versions than the lock names; about a minute, since sqlite3 may have to be compiled. */
export async function installPeers(): Promise<void> {
  const wanted = await readFile(lock, "utf8");
  const installed = await readFile(stamp, "utf8").catch(() => "");
  if (installed === wanted) return;
  console.log("Installing the peers (npm ci in bench/) …");
  const npm = process.env.npm_execpath;
  const [program, parameters] = npm === undefined ? ["npm", ["ci"]] : [process.execPath, [npm, "ci"]];
  const child = spawn(program, parameters, { cwd: fileURLToPath(new URL(".", import.meta.url)), stdio: "inherit" });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error("npm ci failed in bench/");
  await writeFile(stamp, wanted);
}
