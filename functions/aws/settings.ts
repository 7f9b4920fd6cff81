import { SetupError } from "../settings.ts";
import type { IssuerSettings } from "./jwks.ts";

/** What every function needs to know. */
export interface AwsSettings {
  readonly table: string;
  /** What becomes of a tenant that a command names first. */
  readonly tenants: "auto" | "provisioned";
}

/** An environment, as `process.env` is one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that the template knows: it sets each, and the doctor looks at each. */
export const VARIABLES = {
  table: "EVENANT_TABLE",
  tenants: "EVENANT_TENANTS",
  polls: "EVENANT_SWEEP_POLLS",
  issuer: "TOKEN_ISSUER",
  audience: "TOKEN_AUDIENCE",
  jwks: "TOKEN_JWKS_URI",
  algorithms: "TOKEN_ALGORITHMS",
  tenantClaim: "TOKEN_TENANT_CLAIM",
  rolesClaim: "TOKEN_ROLES_CLAIM",
  origins: "CORS_ORIGINS",
  tenantRate: "TENANT_RATE",
} as const;

/** What may sign: asymmetric algorithms only, so that no public key ever counts as a secret. */
const ALGORITHMS = new Set(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]);

/** Reads what every function needs. @throws {SetupError} that names the variable; also for one that leads a deployed function elsewhere. */
export function readAwsSettings(environment: Environment): AwsSettings {
  refuseOverrides(environment);
  const tenants = environment[VARIABLES.tenants] || "auto";
  if (tenants !== "auto" && tenants !== "provisioned")
    throw new SetupError(`${VARIABLES.tenants} is ${JSON.stringify(tenants)}: set it to auto or provisioned.`);
  return { table: required(environment, VARIABLES.table, "the name of the DynamoDB table"), tenants };
}

/** Reads how many polls a sweep may do; default 10,000. @throws {SetupError} for no positive integer. */
export function readPolls(environment: Environment): number {
  const polls = environment[VARIABLES.polls] || "10000";
  if (!/^[1-9]\d{0,8}$/.test(polls))
    throw new SetupError(`${VARIABLES.polls} is ${JSON.stringify(polls)}: give a number from 1.`);
  return Number(polls);
}

/** Reads who issues tokens. @throws {SetupError} that names the variable. */
export function readIssuerSettings(environment: Environment): IssuerSettings {
  const issuer = required(
    environment,
    VARIABLES.issuer,
    "the claim iss of the tokens, such as https://cognito-idp.REGION.amazonaws.com/POOL",
  );
  const jwks = environment[VARIABLES.jwks] || `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`;
  const algorithms = (environment[VARIABLES.algorithms] || "RS256").split(",").map((text) => text.trim());
  const wrong = algorithms.find((algorithm) => !ALGORITHMS.has(algorithm));
  if (wrong !== undefined)
    throw new SetupError(`${VARIABLES.algorithms} names ${JSON.stringify(wrong)}: give some of ${[...ALGORITHMS].join(", ")}.`);
  return {
    issuer,
    audience: required(environment, VARIABLES.audience, "the claim aud of the tokens, such as the app client's id"),
    jwks: urlOf(jwks),
    algorithms,
    tenantClaim: environment[VARIABLES.tenantClaim] || "tenant",
    rolesClaim: environment[VARIABLES.rolesClaim] || "roles",
  };
}

/** The variables that would lead the SDK of a deployed function to another database than AWS's own. */
export function endpointOverrides(environment: Environment): readonly string[] {
  return Object.keys(environment).filter((name) => name.startsWith("AWS_ENDPOINT_URL") && environment[name]);
}

/** Whether this is a deployed function: Lambda sets the variable, and nobody else may. */
export function isDeployed(environment: Environment): boolean {
  return Boolean(environment.AWS_LAMBDA_FUNCTION_NAME);
}

function refuseOverrides(environment: Environment): void {
  const [override] = isDeployed(environment) ? endpointOverrides(environment) : [];
  if (override !== undefined)
    throw new SetupError(
      `${override} is set in a deployed function, which would keep the data elsewhere: remove it from the function.`,
    );
}

function required(environment: Environment, name: string, what: string): string {
  const value = environment[name];
  if (!value) throw new SetupError(`${name} is not set: set it to ${what}.`);
  return value;
}

/** Keys that come over plain HTTP are anybody's; on this machine they are a test's. */
function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && /^(127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname));
  if (url === undefined || !isSafe) throw new SetupError(`${VARIABLES.jwks} is ${JSON.stringify(text)}: give an https URL.`);
  return url;
}
