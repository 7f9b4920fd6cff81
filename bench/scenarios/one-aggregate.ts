import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Scenario } from "../scenario.ts";
import { withDatabaseFile } from "../scratch.ts";

const senderProcess = fileURLToPath(new URL("../sender.ts", import.meta.url));

const fromOneProcess: Scenario = {
  name: "same-32",
  title: "32 commands at once on one aggregate, in memory: how many succeed",
  unit: "of 32",
  measure: async ({ memory }) => {
    const engine = await memory?.();
    if (engine === undefined) return undefined;
    await engine.seed("shared", 1);
    const outcomes = await Promise.allSettled(Array.from({ length: 32 }, () => engine.command("shared")));
    return counted(outcomes.filter(({ status }) => status === "fulfilled").length, (await engine.sum("shared")) / 3 - 1);
  },
};

const fromFourProcesses: Scenario = {
  name: "same-32-processes",
  title: "8 commands at once from each of 4 processes on one aggregate, SQLite: how many succeed",
  unit: "of 32",
  measure: async ({ kind, name, sqlite }) => {
    if (kind === "baseline" || sqlite === undefined) return undefined;
    return withDatabaseFile(async (path) => {
      const engine = await sqlite(path);
      await engine.seed("shared", 1);
      const senders = await Promise.all(Array.from({ length: 4 }, () => startSender(name, path)));
      const succeeded = await Promise.all(senders.map(sendAll));
      const stored = (await engine.sum("shared")) / 3 - 1;
      await engine.close();
      return counted(
        succeeded.reduce((total, one) => total + one, 0),
        stored,
      );
    });
  },
};

function counted(succeeded: number, stored: number) {
  if (succeeded === stored) return { value: succeeded };
  return { value: Math.min(succeeded, stored), note: `${succeeded} acknowledged, ${stored} stored` };
}

async function startSender(name: string, path: string): Promise<ChildProcess> {
  const sender = fork(senderProcess, [name, path], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const [ready] = await Promise.race([once(sender, "message"), once(sender, "exit")]);
  if (ready !== "ready") throw new Error("a second process could not open the file");
  return sender;
}

async function sendAll(sender: ChildProcess): Promise<number> {
  const answer = once(sender, "message");
  sender.send("go");
  const [succeeded] = await answer;
  return succeeded;
}

export const oneAggregate: readonly Scenario[] = [fromOneProcess, fromFourProcesses];
