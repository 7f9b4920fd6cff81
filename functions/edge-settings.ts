import { Err } from "../core/index.ts";
import type { AppSetting } from "./app-setting.ts";
import { checkOrigins } from "./cross-origin.ts";
import { checkRateLimits, type RateLimits } from "./rate-limit.ts";
import { SetupError } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What part of the settings an environment decides, wherever the application runs. */
export type EdgeSettings = Pick<AppSetting, "origins" | "rateLimits" | "traceProject">;

/**
 * Reads `CORS_ORIGINS` (separated by commas; default none), the rate limits `TENANT_RATE` and `ACTOR_RATE` (requests a second) with
 * `TENANT_BURST` and `ACTOR_BURST` (requests at once), and `GOOGLE_CLOUD_PROJECT` (or `GCLOUD_PROJECT`) for the traces.
 *
 * Without `TENANT_RATE` there is no limit. With it, the burst is two seconds' worth, and an actor may use a quarter of its tenant's.
 * @throws {SetupError} for what is no origin, no number, or a limit with which one actor starves the others
 */
export function readEdgeSettings(environment: Environment): EdgeSettings {
  const origins = (environment.CORS_ORIGINS ?? "").split(",").map((origin) => origin.trim());
  const allowed = origins.filter((origin) => origin !== "");
  const rateLimits = rateLimitsIn(environment);
  const traceProject = environment.GOOGLE_CLOUD_PROJECT || environment.GCLOUD_PROJECT;
  named("CORS_ORIGINS", () => checkOrigins(allowed));
  if (rateLimits !== undefined) named("TENANT_RATE, TENANT_BURST, ACTOR_RATE or ACTOR_BURST", () => checkRateLimits(rateLimits));
  return {
    ...(allowed.length > 0 && { origins: allowed }),
    ...(rateLimits !== undefined && { rateLimits }),
    ...(traceProject && { traceProject }),
  };
}

function rateLimitsIn(environment: Environment): RateLimits | undefined {
  const [tenantRate, tenantBurst, actorRate, actorBurst] = ["TENANT_RATE", "TENANT_BURST", "ACTOR_RATE", "ACTOR_BURST"].map(
    (name) => numberIn(environment, name),
  );
  if (tenantRate === undefined) {
    if (tenantBurst === undefined && actorRate === undefined && actorBurst === undefined) return undefined;
    throw new SetupError("TENANT_RATE is not set, but a limit that belongs to it is: set it too, in requests a second.");
  }
  const tenant = { rate: tenantRate, burst: tenantBurst ?? Math.max(2, 2 * tenantRate) };
  return { tenant, actor: { rate: actorRate ?? tenant.rate / 4, burst: actorBurst ?? Math.max(1, tenant.burst / 4) } };
}

function numberIn(environment: Environment, name: string): number | undefined {
  const text = environment[name];
  if (!text) return undefined;
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text);
  throw new SetupError(`${name} is ${JSON.stringify(text)}: give a number, such as 50 or 0.5.`);
}

/** Says which variable is meant. */
function named(name: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw Err.is(error) ? new SetupError(`${name}: ${error.message}`) : error;
  }
}
