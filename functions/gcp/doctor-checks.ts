import { Actor, Err } from "../../core/index.ts";
import { type Check, type Finding, ok, wrong } from "../doctor/check.ts";
import { SetupError } from "../settings.ts";
import type { GoogleReaders, UserClaims } from "./doctor-readers.ts";
import { differenceOf, type FieldOverride, REQUIRED_OVERRIDES, ttlStateOf } from "./field-overrides.ts";
import { type Environment, emulatorVariables, readGoogleSettings } from "./settings.ts";

/** What Google's checks look at. */
export interface GoogleConfiguration {
  /** The rules as the declarations of the domain make them. */
  readonly generatedRules: string;
  /** The text of `firestore.rules`; undefined where there is no such file. */
  readonly rulesFile: string | undefined;
  /** The text of `firestore.indexes.json`; undefined where there is no such file. */
  readonly indexesFile: string | undefined;
  /** The variables that are deployed with the functions. */
  readonly variables: Environment;
  /** The variables of whoever asks. */
  readonly environment: Environment;
  readonly commands: ReadonlySet<string>;
  readonly readers: GoogleReaders;
}

const DEPLOY_RULES = "run `npm run rules`, then `firebase deploy --only firestore:rules`";
const DEPLOY_INDEXES = "run `firebase deploy --only firestore:indexes`";
/** Names and values that look like what must not lie in a file of variables. */
const SECRET_NAME = /(SECRET|PASSWORD|PRIVATE_KEY|API_KEY|CREDENTIALS)/;
const SECRET_VALUE = /-----BEGIN [A-Z ]*PRIVATE KEY-----|"private_key"/;

/** The checks of a deployment on Google Cloud: files and variables first, then what is deployed. */
export function googleChecks(configuration: GoogleConfiguration): readonly Check[] {
  return [...fileChecks(configuration), ...variableChecks(configuration), ...cloudChecks(configuration)];
}

function fileChecks({ rulesFile, generatedRules, indexesFile }: GoogleConfiguration): readonly Check[] {
  return [
    offline("firestore.rules is what the declarations make", () =>
      rulesFile === generatedRules
        ? ok()
        : wrong(`${rulesFile === undefined ? "There is none" : "It differs"}: ${DEPLOY_RULES}.`),
    ),
    offline("firestore.indexes.json turns on the deletion of old receipts, and needless indexes off", () => {
      if (indexesFile === undefined) return wrong("There is none: copy Evenant's, which docs/firestore.md explains.");
      const { fieldOverrides = [] } = JSON.parse(indexesFile) as { readonly fieldOverrides?: readonly FieldOverride[] };
      const missing = REQUIRED_OVERRIDES.find((wanted) => !fieldOverrides.some((given) => isSame(wanted, given)));
      if (missing === undefined) return ok(`${REQUIRED_OVERRIDES.length} fields`);
      return wrong(`It lacks the override of ${missing.collectionGroup}.${missing.fieldPath}: copy it from Evenant's own.`);
    }),
  ];
}

function variableChecks({ variables, environment, commands }: GoogleConfiguration): readonly Check[] {
  return [
    offline("no variable of the functions leads to an emulator", () => {
      const [name] = emulatorVariables(variables);
      return name === undefined ? ok() : wrong(`${name} is deployed with them: remove it from the .env file.`);
    }),
    offline("no variable of this shell leads to an emulator", () => {
      const [name] = emulatorVariables(environment);
      return name === undefined ? ok() : wrong(`${name} is set, so tools would look there: unset ${name}.`);
    }),
    offline("the functions can start with their variables", () => {
      try {
        const { tenants, checkRevoked } = readGoogleSettings(variables, commands);
        return ok(`tenants: ${tenants}; revocation checked for: ${[...checkRevoked].join(", ") || "no command"}`);
      } catch (error) {
        if (error instanceof SetupError) return wrong(error.message);
        throw error;
      }
    }),
    offline("no secret lies among the variables", () => {
      const found = Object.entries(variables).find(([name, value]) => SECRET_NAME.test(name) || SECRET_VALUE.test(value ?? ""));
      if (found === undefined) return ok();
      return wrong(`${found[0]} looks like one: keep it in Secret Manager; functions need no key, they have a service account.`);
    }),
  ];
}

function cloudChecks({ readers, generatedRules }: GoogleConfiguration): readonly Check[] {
  return [
    online("the rules in force are the generated ones", async () => {
      const deployed = await readers.rules();
      if (deployed?.trim() === generatedRules.trim()) return ok();
      return wrong(`${deployed === undefined ? "None are in force" : "They differ"}: ${DEPLOY_RULES}.`);
    }),
    online("old receipts are deleted (TTL)", async () => {
      const fields = await readers.fields();
      const states = REQUIRED_OVERRIDES.filter(({ ttl }) => ttl).map((wanted) => ttlStateOf(wanted, fields));
      const bad = states.find((state) => state !== "ACTIVE");
      if (states.every((state) => state === "ACTIVE")) return ok();
      if (bad === "CREATING") return wrong("It is being turned on: look again in some minutes.");
      return wrong(`It is ${bad === undefined ? "off" : bad}: ${DEPLOY_INDEXES}.`);
    }),
    online("what is never searched is not indexed", async () => {
      const fields = await readers.fields();
      const differences = REQUIRED_OVERRIDES.flatMap((wanted) => differenceOf(wanted, fields) ?? []);
      return differences.length === 0 ? ok() : wrong(`${differences[0]}, one of ${differences.length}: ${DEPLOY_INDEXES}.`);
    }),
    online("users have the claims tenant and roles", async () => {
      const users = await readers.users();
      const nobodies = users.filter((user) => !isActor(user));
      if (nobodies.length === 0) return ok(`${users.length} looked at`);
      return wrong(
        `${nobodies.length} of ${users.length} have none or wrong ones, ${nobodies[0]?.id} for one: set them, as docs/security.md says.`,
      );
    }),
  ];
}

function offline(claim: string, examine: Check["examine"]): Check {
  return { claim, asksCloud: false, examine };
}

function online(claim: string, look: () => Promise<Finding>): Check {
  const examine = async () => {
    try {
      return await look();
    } catch (error) {
      if (!/default credentials|OAuth2 access token/.test(String(error))) throw error;
      return wrong("You are not signed in: run `gcloud auth application-default login`.");
    }
  };
  return { claim, asksCloud: true, examine };
}

/** Whether what is given does at least what is wanted. */
function isSame(wanted: FieldOverride, given: FieldOverride): boolean {
  if (wanted.collectionGroup !== given.collectionGroup || wanted.fieldPath !== given.fieldPath) return false;
  const kinds = ({ indexes }: FieldOverride) => indexes.map(({ arrayConfig, order }) => arrayConfig ?? order).sort();
  return Boolean(wanted.ttl) === Boolean(given.ttl) && kinds(wanted).join() === kinds(given).join();
}

function isActor({ id, claims }: UserClaims): boolean {
  try {
    new Actor({ id, tenant: claims.tenant as string, roles: claims.roles as string[] });
    return Array.isArray(claims.roles);
  } catch (error) {
    if (Err.is(error)) return false;
    throw error;
  }
}
