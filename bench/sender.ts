// One of several processes on one SQLite file: opens it, waits for the word, sends 8 commands at once on one aggregate, and says how many succeeded.
import { contenderNamed } from "./contenders.ts";

const [name = "", path = ""] = process.argv.slice(2);
const engine = await (await contenderNamed(name)).sqlite?.(path);
if (engine === undefined) throw new Error(`${name} has no SQLite store`);

process.once("message", async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => engine.command("shared")));
  process.send?.(outcomes.filter(({ status }) => status === "fulfilled").length, () => process.exit());
});
process.send?.("ready");
