import { type EdgeSettings, readEdgeSettings } from "../edge-settings.ts";
import type { StreamSetting } from "../event-stream-setting.ts";
import { SetupError } from "../settings.ts";

/** Variables of the process, or of a file of them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings of the functions on Google Cloud. */
export interface GoogleSettings {
  /** Whether a tenant is opened by its first command, or only by its operator. */
  readonly tenants: "auto" | "provisioned";
  /** Commands whose senders' tokens are looked up, so that a revoked one is refused at once rather than within the hour. */
  readonly checkRevoked: ReadonlySet<string>;
  /** How long a trigger or a sweep may go on, in ms. */
  readonly budget: number;
  /** Whether tokens come from the auth emulator, which signs nothing. */
  readonly isAuthEmulated: boolean;
  readonly edge: EdgeSettings;
  /** Streams end by themselves before the platform cuts them off, and are resumed by any instance. */
  readonly streams: Partial<StreamSetting>;
}

/** How long the platform lets a function run where it does not say, in seconds. */
const TIMEOUT = 60;
/** What is left at the end for the commit in hand, in seconds; at most half of the time. */
const MARGIN = 10;
const EMULATOR = /EMULATOR_(HOST|HUB)$/;

/**
 * Reads `EVENANT_TENANTS` (auto, provisioned), `EVENANT_CHECK_REVOKED` (commands, by commas), the edge's settings and what the platform sets.
 * @throws {SetupError} for a value that is none; in the cloud also where a variable of an emulator is set, because an emulator believes
 * every token, and what is written to it is gone.
 */
export function readGoogleSettings(environment: Environment, commands: ReadonlySet<string>): GoogleSettings {
  refuseEmulators(environment);
  const { EVENANT_TENANTS: tenants = "auto", CLOUD_RUN_TIMEOUT_SECONDS: timeout = String(TIMEOUT) } = environment;
  if (tenants !== "auto" && tenants !== "provisioned") {
    throw new SetupError(`EVENANT_TENANTS is ${JSON.stringify(tenants)}: give auto or provisioned.`);
  }
  if (!/^[1-9]\d{0,4}$/.test(timeout)) {
    throw new SetupError(`CLOUD_RUN_TIMEOUT_SECONDS is ${JSON.stringify(timeout)}: give a number of seconds.`);
  }
  const seconds = Number(timeout);
  const budget = 1_000 * (seconds - Math.min(MARGIN, seconds / 2));
  return {
    tenants,
    checkRevoked: checkedCommands(environment.EVENANT_CHECK_REVOKED ?? "", commands),
    budget,
    isAuthEmulated: Boolean(environment.FIREBASE_AUTH_EMULATOR_HOST),
    edge: readEdgeSettings(environment),
    streams: { lifetime: budget },
  };
}

/** The variables that lead to an emulator. */
export function emulatorVariables(environment: Environment): readonly string[] {
  return Object.keys(environment).filter((name) => EMULATOR.test(name) && Boolean(environment[name]));
}

/** Whether this is Google's own machine. Its functions emulator sets the same variables, but not the one that Cloud Run alone sets. */
export function isInCloud({ K_SERVICE, K_CONFIGURATION, FUNCTION_TARGET, FUNCTIONS_EMULATOR }: Environment): boolean {
  if (K_CONFIGURATION) return true;
  return Boolean(K_SERVICE || FUNCTION_TARGET) && FUNCTIONS_EMULATOR !== "true";
}

function refuseEmulators(environment: Environment): void {
  const [name] = emulatorVariables(environment);
  if (name === undefined || !isInCloud(environment)) return;
  throw new SetupError(`${name} is set in the cloud: remove it from the function's variables and deploy again.`);
}

function checkedCommands(text: string, commands: ReadonlySet<string>): ReadonlySet<string> {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.find((name) => !commands.has(name));
  if (unknown === undefined) return new Set(names);
  throw new SetupError(`EVENANT_CHECK_REVOKED names ${JSON.stringify(unknown)}, which is no command: check its spelling.`);
}
