import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Measurement } from "./scenario.ts";

/** What a process of its own answered: a measurement, nothing to measure, or why it could not. */
export type Outcome = Measurement | { absent: true } | { failed: string };

const measureProcess = fileURLToPath(new URL("measure.ts", import.meta.url));
const limitMs = 180_000;

/** Measures one contender in one scenario in a fresh process, which is ended after three minutes. */
export function trial(contender: string, scenario: string, quick: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = fork(measureProcess, [contender, scenario, ...(quick ? ["--quick"] : [])], {
      env: { ...process.env, NODE_ENV: "production" },
      execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    let outcome: Outcome = { failed: "the process ended without an answer" };
    const timer = setTimeout(() => {
      outcome = { failed: `no answer within ${limitMs / 1000} s` };
      child.kill("SIGKILL");
    }, limitMs);
    child.on("message", (message) => {
      outcome = message as Outcome;
    });
    child.on("exit", () => {
      clearTimeout(timer);
      resolve(outcome);
    });
  });
}
