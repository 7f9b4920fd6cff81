import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

/** Loads a function as Lambda does, then answers each line of standard input, an event, with a line that begins with `=`. */
const RUNNER = `
import { createInterface } from "node:readline";
const { handler } = await import(process.argv[1]);
for await (const line of createInterface({ input: process.stdin })) {
  const end = performance.now() + 15_000;
  const result = await handler(JSON.parse(line), { getRemainingTimeInMillis: () => Math.floor(end - performance.now()) });
  process.stdout.write("=" + JSON.stringify(result) + "\\n");
}`;

/** A bundled function in a process of its own. */
export interface FunctionProcess {
  /** Calls the function with an event; rejects where the process ends instead, with what it said. */
  call(event: unknown): Promise<unknown>;
  /** What the function logged. */
  readonly lines: string[];
  close(): Promise<void>;
}

/** Starts a function of a bundle, with these variables and no others. */
export function startFunction(file: string, variables: Readonly<Record<string, string>>): FunctionProcess {
  const child = spawn(process.execPath, ["--input-type=module", "-e", RUNNER, pathToFileURL(file).href], {
    env: variables,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const waiting: { resolve(result: unknown): void; reject(error: Error): void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith("=")) waiting.shift()?.resolve(JSON.parse(line.slice(1)));
    else lines.push(line);
  });
  createInterface({ input: child.stderr }).on("line", (line) => lines.push(line));
  const ended = new Promise<void>((resolve) => {
    child.once("close", () => {
      for (const { reject } of waiting.splice(0)) reject(new Error(`the function ended: ${lines.join("\n")}`));
      resolve();
    });
  });
  // Writing to a process that has ended is told by its end.
  child.stdin.on("error", () => {});
  return {
    lines,
    call: (event) =>
      new Promise((resolve, reject) => {
        if (child.exitCode !== null) reject(new Error(`the function ended: ${lines.join("\n")}`));
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(event)}\n`);
      }),
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
