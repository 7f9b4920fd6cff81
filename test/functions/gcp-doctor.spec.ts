import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { examples } from "../../functions/composition.ts";
import { ok, wrong } from "../../functions/doctor/check.ts";
import { examine, report } from "../../functions/doctor/examine.ts";
import { type GoogleConfiguration, googleChecks } from "../../functions/gcp/doctor-checks.ts";
import { googleReaders } from "../../functions/gcp/doctor-readers.ts";
import { type FieldState, REQUIRED_OVERRIDES } from "../../functions/gcp/field-overrides.ts";
import { accessMatrix } from "../../rules/access-matrix.ts";
import { firestoreRules } from "../../rules/firestore-rules.ts";
import { Child, HOME } from "../support/functions-server.ts";
import { rejects } from "../support/rejects.ts";

const RULES = firestoreRules(accessMatrix(examples));
const DATABASE = "projects/p/databases/(default)";

/** The answer of `collectionGroups/-/fields` for a database with the overrides deployed, in the shape that Google documents. */
const FIELDS: readonly FieldState[] = REQUIRED_OVERRIDES.map(({ collectionGroup, fieldPath, ttl, indexes }) => ({
  name: `${DATABASE}/collectionGroups/${collectionGroup}/fields/${fieldPath}`,
  indexConfig: {
    ancestorField: `${DATABASE}/collectionGroups/__default__/fields/*`,
    ...(indexes.length > 0 && {
      indexes: indexes.map(({ arrayConfig }) => ({
        queryScope: "COLLECTION",
        fields: [{ fieldPath, arrayConfig }],
        state: "READY",
      })),
    }),
  },
  ...(ttl && { ttlConfig: { state: "ACTIVE" } }),
}));

describe("The doctor", () => {
  let indexesFile: string;
  before(async () => {
    indexesFile = await readFile(join(HOME, "firestore.indexes.json"), "utf8");
  });

  const healthy = (): GoogleConfiguration => ({
    generatedRules: RULES,
    rulesFile: RULES,
    indexesFile,
    variables: { EVENANT_TENANTS: "provisioned", EVENANT_CHECK_REVOKED: "ApproveLoan, Withdraw" },
    environment: { PATH: "/bin" },
    commands: new Set(["ApproveLoan", "Withdraw"]),
    readers: {
      rules: async () => `${RULES}\n`,
      fields: async () => FIELDS,
      users: async () => [{ id: "ada", claims: { tenant: "acme", roles: ["user"], other: 1 } }],
    },
  });
  const advice = async (changes: Partial<GoogleConfiguration>): Promise<readonly string[]> => {
    const examined = await examine(googleChecks({ ...healthy(), ...changes }));
    return examined.flatMap(({ finding }) => (finding.status === "wrong" ? [finding.advice] : []));
  };
  const readers = (changes: Partial<GoogleConfiguration["readers"]>) => ({ readers: { ...healthy().readers, ...changes } });

  it("finds nothing to mend where all is as it should be", async () => {
    const examined = await examine(googleChecks(healthy()));
    expect(report(examined)).to.match(/^(ok {5}.+\n){10}All is well\.\n$/);
  });

  it("says of files what to do", async () => {
    expect(await advice({ rulesFile: `${RULES} ` })).to.deep.equal([
      "It differs: run `npm run rules`, then `firebase deploy --only firestore:rules`.",
    ]);
    expect((await advice({ rulesFile: undefined }))[0]).to.match(/^There is none: run/);
    expect((await advice({ indexesFile: undefined }))[0]).to.match(/^There is none: copy/);
    expect((await advice({ indexesFile: "{" }))[0]).to.match(/^It could not be checked: /);
    expect((await advice({ indexesFile: "{}" }))[0]).to.match(/lacks the override of events.data/);
    expect((await advice({ indexesFile: indexesFile.replace('"ttl": true', '"ttl": false') }))[0]).to.include(
      "receipts.expireAt",
    );
    expect((await advice({ indexesFile: indexesFile.replace("CONTAINS", "") }))[0]).to.include("log.page");
  });

  it("says of variables what to do", async () => {
    const of = (variables: GoogleConfiguration["variables"]) => advice({ variables });
    expect(await of({ FIRESTORE_EMULATOR_HOST: "127.0.0.1:8080" })).to.deep.equal([
      "FIRESTORE_EMULATOR_HOST is deployed with them: remove it from the .env file.",
    ]);
    expect((await advice({ environment: { FIREBASE_AUTH_EMULATOR_HOST: "x" } }))[0]).to.match(
      /unset FIREBASE_AUTH_EMULATOR_HOST/,
    );
    expect((await of({ EVENANT_TENANTS: "some" }))[0]).to.match(/auto or provisioned/);
    expect((await of({ EVENANT_CHECK_REVOKED: "ApproveLone" }))[0]).to.match(/"ApproveLone", which is no command/);
    expect((await of({ STRIPE_SECRET: "x" }))[0]).to.match(/^STRIPE_SECRET .* Secret Manager/);
    const [leak = ""] = await of({ MINE: "-----BEGIN PRIVATE KEY-----\nabc" });
    expect(leak)
      .to.match(/^MINE /)
      .and.not.include("abc");
  });

  it("says of what is deployed what to do", async () => {
    expect((await advice(readers({ rules: async () => "allow read;" })))[0]).to.match(/^They differ: run/);
    expect((await advice(readers({ rules: async () => undefined })))[0]).to.match(/^None are in force: run/);
    expect(await advice(readers({ fields: async () => [] }))).to.deep.equal([
      "It is off: run `firebase deploy --only firestore:indexes`.",
      "events.data is indexed as any other field, one of 9: run `firebase deploy --only firestore:indexes`.",
    ]);
    const creating = FIELDS.map((field) => (field.ttlConfig ? { ...field, ttlConfig: { state: "CREATING" } } : field));
    expect(await advice(readers({ fields: async () => creating }))).to.deep.equal([
      "It is being turned on: look again in some minutes.",
    ]);
    const indexed = FIELDS.map((field) =>
      field.name?.endsWith("log/fields/refs")
        ? {
            ...field,
            indexConfig: { indexes: [{ fields: [{ order: "ASCENDING" }] }, { fields: [{ arrayConfig: "CONTAINS" }] }] },
          }
        : field,
    );
    expect((await advice(readers({ fields: async () => indexed })))[0]).to.match(
      /^log.refs has the indexes \[ASCENDING, CONTAINS\]/,
    );
  });

  it("says which users have no claims, or wrong ones", async () => {
    for (const claims of [
      {},
      { tenant: "acme" },
      { roles: [] },
      { tenant: "../x", roles: [] },
      { tenant: "acme", roles: "user" },
    ]) {
      const users = async () => [
        { id: "ada", claims: { tenant: "acme", roles: [] } },
        { id: "eve", claims },
      ];
      expect((await advice(readers({ users })))[0], JSON.stringify(claims)).to.match(
        /^1 of 2 have none or wrong ones, eve for one/,
      );
    }
  });

  it("takes what cannot be looked at, or not in time, for wrong", async () => {
    expect((await advice(readers({ rules: async () => Promise.reject(new Error("no credentials\nof any kind")) })))[0]).to.equal(
      "It could not be checked: no credentials",
    );
    const { fields } = healthy().readers;
    const signedOut = async () => Promise.reject(new Error("Could not load the default credentials. Browse to …"));
    expect(await advice(readers({ users: signedOut, fields }))).to.deep.equal([
      "You are not signed in: run `gcloud auth application-default login`.",
    ]);
    const [slow] = await examine([{ claim: "it is there", asksCloud: true, examine: () => new Promise(() => {}) }], 20);
    expect(slow?.finding).to.deep.equal(wrong("It could not be checked within 0.02 s: is the network there?"));
    expect(
      report([
        { claim: "a", finding: ok("b") },
        { claim: "it is there", finding: wrong("Mend it.") },
      ]),
    ).to.equal("ok     a (b)\nWRONG  it is there\n       Mend it.\n1 of 2 to mend.\n");
  });

  it("asks Firestore's admin API for the fields that are overridden", async () => {
    const asked: string[] = [];
    const server = createServer((incoming, outgoing) => {
      asked.push(`${decodeURIComponent(incoming.url ?? "")} ${incoming.headers.authorization}`);
      const isFirst = asked.length === 1;
      outgoing.writeHead(isFirst ? 200 : 403, { "content-type": "application/json" });
      outgoing.end(JSON.stringify(isFirst ? { fields: FIELDS } : { error: { code: 403, message: "no permission" } }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const { fields } = googleReaders("p", { origin, accessToken: async () => "token" });
      expect(await fields()).to.deep.equal(FIELDS);
      expect(asked[0]).to.equal(
        `/v1/${DATABASE}/collectionGroups/-/fields?filter=indexConfig.usesAncestorConfig=false+OR+ttlConfig:*&pageSize=300 Bearer token`,
      );
      expect((await rejects(Error, fields())).message).to.equal("Firestore answered 403: no permission");
    } finally {
      server.close();
    }
  });

  it("requires the very overrides that are committed", () => {
    expect(JSON.parse(indexesFile).fieldOverrides).to.deep.equal(REQUIRED_OVERRIDES);
  });

  it("runs from the command line, and ends with status 1 where something is wrong", async () => {
    const well = await new Child(process.execPath, ["scripts/doctor.ts", "google", "--offline"], {
      FIRESTORE_EMULATOR_HOST: "",
      FIREBASE_AUTH_EMULATOR_HOST: "",
    }).ended;
    expect(well.stdout, well.stderr).to.match(/All is well\.\n$/);
    expect(well.code).to.equal(0);
    const ill = await new Child(process.execPath, ["scripts/doctor.ts", "google", "--offline"], { FIRESTORE_EMULATOR_HOST: "x" })
      .ended;
    expect(ill.stdout).to.match(/1 of 7 to mend\.\n$/);
    expect(ill.code).to.equal(1);
    const lost = await new Child(process.execPath, ["scripts/doctor.ts", "google"], { GOOGLE_CLOUD_PROJECT: "" }).ended;
    expect(lost.stderr).to.match(/^Say which project/);
    expect(lost.code).to.equal(1);
  });

  it("looks at the variables of its project too, which are deployed with those of every project", async () => {
    const project = `demo-doctor-${process.pid}`;
    const file = join(HOME, `.env.${project}`);
    await writeFile(file, "EVENANT_TENANTS=yes\n");
    try {
      const arguments_ = ["scripts/doctor.ts", "google", "--offline", "--project", project];
      const { stdout } = await new Child(process.execPath, arguments_, {}).ended;
      expect(stdout).to.match(/^WRONG +the functions can start with their variables\n +EVENANT_TENANTS is "yes"/m);
    } finally {
      await rm(file);
    }
  });
});
