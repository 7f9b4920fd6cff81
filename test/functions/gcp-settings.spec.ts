import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { errors } from "jose";
import { Err } from "../../core/index.ts";
import { bearerAuthenticator } from "../../functions/auth.ts";
import { buildGoogle } from "../../functions/gcp/build.ts";
import { EMULATOR_CLASS, writeLauncherJar } from "../../functions/gcp/firestore-jar.ts";
import { isInCloud, readGoogleSettings } from "../../functions/gcp/settings.ts";
import { storedZip } from "../../functions/gcp/stored-zip.ts";
import { type FirebaseAuth, idTokenVerifier } from "../../functions/gcp/tokens.ts";
import { Refusal } from "../../functions/problem.ts";
import { SetupError } from "../../functions/settings.ts";
import { freePort } from "../support/firestore-emulator.ts";
import { Child, temporaryDirectory } from "../support/functions-server.ts";
import { rejects } from "../support/rejects.ts";
import { thrown } from "../support/thrown.ts";

const COMMANDS = new Set(["CloseAccount", "Withdraw"]);
const CLOUD = { K_SERVICE: "command", K_REVISION: "command-00001-abc", K_CONFIGURATION: "command", FUNCTION_TARGET: "command" };
const EMULATED = { K_SERVICE: "command", K_REVISION: "1", FUNCTION_TARGET: "command", FUNCTIONS_EMULATOR: "true" };

describe("The settings on Google Cloud", () => {
  it("refuse every variable of an emulator in the cloud, and nowhere else", () => {
    for (const name of [
      "FIRESTORE_EMULATOR_HOST",
      "FIREBASE_AUTH_EMULATOR_HOST",
      "PUBSUB_EMULATOR_HOST",
      "FIREBASE_EMULATOR_HUB",
    ]) {
      for (const cloud of [CLOUD, { FUNCTION_TARGET: "command" }, { K_SERVICE: "x" }, { ...CLOUD, FUNCTIONS_EMULATOR: "true" }]) {
        const { message } = thrown(SetupError, () => readGoogleSettings({ ...cloud, [name]: "127.0.0.1:1" }, COMMANDS));
        expect(message).to.match(new RegExp(`^${name} is set in the cloud: remove it`));
      }
      expect(readGoogleSettings({ ...EMULATED, [name]: "127.0.0.1:1" }, COMMANDS).tenants).to.equal("auto");
      expect(readGoogleSettings({ [name]: "127.0.0.1:1" }, COMMANDS).tenants).to.equal("auto");
      expect(readGoogleSettings({ ...CLOUD, [name]: "" }, COMMANDS).tenants).to.equal("auto");
    }
    expect([CLOUD, EMULATED, {}].map(isInCloud)).to.deep.equal([true, false, false]);
  });

  it("let the built functions start, but not with an emulator in the cloud", async function () {
    this.timeout(30_000);
    const directory = await temporaryDirectory();
    const framework = createRequire(import.meta.url).resolve("@google-cloud/functions-framework");
    const startWith = async (variables: Readonly<Record<string, string>>) => {
      const port = await freePort();
      const all = { PORT: String(port), FUNCTION_SOURCE: directory.path, FUNCTION_TARGET: "command", ...variables };
      return { child: new Child(process.execPath, [join(framework, "..", "main.js")], all), url: `http://127.0.0.1:${port}` };
    };
    try {
      await buildGoogle({ name: "gcloud", folder: directory.path });
      const refused = await startWith({ ...CLOUD, FIRESTORE_EMULATOR_HOST: "127.0.0.1:1" });
      const { code, stderr } = await refused.child.ended;
      expect(code, stderr).to.equal(1);
      expect(stderr).to.include("FIRESTORE_EMULATOR_HOST is set in the cloud");

      const started = await startWith({
        FIRESTORE_EMULATOR_HOST: "",
        FIREBASE_AUTH_EMULATOR_HOST: "",
        GOOGLE_CLOUD_PROJECT: "demo",
      });
      await started.child.says(/Serving function/);
      const answer = await fetch(`${started.url}/healthz`);
      expect({ status: answer.status, body: await answer.json() }).to.deep.equal({ status: 200, body: { status: "ok" } });
      const refusal = await fetch(`${started.url}/commands/AddNumbers`, { method: "POST", body: '{"a":' });
      expect(refusal.status).to.equal(401);
      await started.child.kill("SIGTERM");
    } finally {
      await directory.remove();
    }
  });

  it("are read from the environment, and wrong ones are refused with what to do", () => {
    const read = (environment: Readonly<Record<string, string>>) => readGoogleSettings(environment, COMMANDS);
    const settings = read({ EVENANT_TENANTS: "provisioned", EVENANT_CHECK_REVOKED: " CloseAccount ,Withdraw," });
    expect(settings).to.deep.include({ tenants: "provisioned", budget: 50_000, isAuthEmulated: false });
    expect([...settings.checkRevoked]).to.deep.equal(["CloseAccount", "Withdraw"]);
    expect(read({ CLOUD_RUN_TIMEOUT_SECONDS: "540" }).budget).to.equal(530_000);
    expect(read({}).streams).to.deep.equal({ lifetime: 50_000 });
    expect(read({ ...EMULATED }).streams).to.deep.equal({ lifetime: 50_000 });
    expect(read({ ...CLOUD }).streams).to.deep.equal({ lifetime: 50_000 });
    expect(read({ CLOUD_RUN_TIMEOUT_SECONDS: "10" }).budget).to.equal(5_000);
    for (const wrong of [
      { EVENANT_TENANTS: "" },
      { EVENANT_CHECK_REVOKED: "closeaccount" },
      { CLOUD_RUN_TIMEOUT_SECONDS: "0" },
      { CORS_ORIGINS: "nonsense" },
    ]) {
      expect(thrown(SetupError, () => read(wrong)).message).to.include(Object.keys(wrong)[0]);
    }
  });
});

describe("ID tokens of Firebase", () => {
  const CLAIMS = { sub: "ada", tenant: "acme", roles: ["user"], name: "Ada" };
  const failing = (code: string, message = ""): FirebaseAuth => ({
    verifyIdToken: async () => Promise.reject(Object.assign(new Error(message), { code })),
    getUser: async () => ({}),
  });
  const verifier = (auth: FirebaseAuth, isAuthEmulated = false) =>
    idTokenVerifier(async () => auth, { checkRevoked: new Set(["CloseAccount"]), isAuthEmulated });

  it("make an actor of their claims, and ask for revocation only where a command is worth it", async () => {
    const asked: unknown[] = [];
    const auth: FirebaseAuth = {
      verifyIdToken: async (...given) => {
        asked.push(given);
        return CLAIMS;
      },
      getUser: async () => Promise.reject(new Error("nobody asked for the record")),
    };
    const authenticate = bearerAuthenticator(verifier(auth));
    expect(await authenticate("Bearer abc", "Withdraw")).to.deep.include({ id: "ada", tenant: "acme", name: "Ada" });
    await authenticate("Bearer abc");
    await authenticate("Bearer abc", "CloseAccount");
    expect(asked).to.deep.equal([
      ["abc", false],
      ["abc", false],
      ["abc", true],
    ]);
  });

  it("are refused for the same reasons as any other token", async () => {
    const reasons: readonly (readonly [code: string, message: string, detail: RegExp])[] = [
      ["auth/id-token-expired", "", /has expired/],
      ["auth/id-token-revoked", "", /was revoked: sign in again/],
      ["auth/user-disabled", "", /was revoked/],
      ["auth/user-not-found", "", /was revoked/],
      ["auth/argument-error", "Firebase ID token has invalid signature.", /another secret/],
      ["auth/argument-error", 'Firebase ID token has "kid" claim which does not correspond', /another secret/],
      ["auth/argument-error", 'Firebase ID token has incorrect algorithm. Expected "RS256"', /algorithm/],
      ["auth/argument-error", 'Firebase ID token has incorrect "aud" (audience) claim.', /claim aud/],
      ["auth/argument-error", "Decoding Firebase ID token failed.", /not a signed JWT/],
      // A name in a message is none of the network's troubles.
      ["auth/argument-error", 'Firebase ID token has incorrect "aud" (audience) claim. Expected "reconnect"', /claim aud/],
      ["auth/argument-error", 'Firebase ID token has incorrect "iss" (issuer) claim. Expected "my-network"', /claim iss/],
    ];
    for (const [code, message, detail] of reasons) {
      const refusal = await rejects(Refusal, bearerAuthenticator(verifier(failing(code, message)))("Bearer abc"));
      expect(refusal.code).to.equal("unauthenticated");
      expect(refusal.message).to.match(detail);
      expect(refusal.headers["www-authenticate"]).to.match(/^Bearer realm="evenant", error="invalid_token"/);
    }
  });

  it("are no reason to call a sender nobody when Google cannot be reached", async () => {
    for (const [code, message] of [
      ["auth/argument-error", "Error fetching public keys for Google certs: ENOTFOUND"],
      ["auth/argument-error", "Error while making request: getaddrinfo EAI_AGAIN www.googleapis.com. Error code: EAI_AGAIN"],
      ["app/network-error", ""],
      ["app/network-timeout", ""],
    ] as const) {
      const refusal = await rejects(Refusal, bearerAuthenticator(verifier(failing(code, message)))("Bearer abc"));
      expect([refusal.status, refusal.code, refusal.headers["retry-after"]]).to.deep.equal([503, "store", "1"]);
    }
    const error = await rejects(Error, bearerAuthenticator(verifier(failing("auth/internal-error", "")))("Bearer abc"));
    expect(error).to.not.be.instanceOf(Refusal);
    expect(Err.is(error)).to.equal(false);
  });

  it("are verified by firebase-admin itself, which takes none of the emulator's", async () => {
    const { deleteApp, initializeApp } = await import("firebase-admin/app");
    const { getAuth } = await import("firebase-admin/auth");
    expect(process.env.FIREBASE_AUTH_EMULATOR_HOST).to.equal(undefined);
    const firebase = initializeApp({ projectId: "p" }, "tokens");
    try {
      const authenticate = bearerAuthenticator(verifier(getAuth(firebase)));
      const now = Math.floor(Date.now() / 1000);
      const claims = { ...CLAIMS, aud: "p", iss: "https://securetoken.google.com/p", iat: now, exp: now + 600, auth_time: now };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
      for (const [head, changes] of [
        [{ alg: "none", typ: "JWT" }, {}],
        [{ alg: "none", kid: "a" }, {}],
        [{ alg: "HS256", kid: "a" }, {}],
        [{ alg: "RS256", kid: "a" }, { aud: "another" }],
        [{ alg: "RS256", kid: "a" }, { iss: "https://securetoken.google.com/another" }],
        [{ alg: "RS256", kid: "a" }, { sub: "" }],
      ] as const) {
        const token = `Bearer ${part(head)}.${part({ ...claims, ...changes })}.c2lnbmVk`;
        expect((await rejects(Refusal, authenticate(token))).code, JSON.stringify([head, changes])).to.equal("unauthenticated");
      }
      const encoded = (text: string) => Buffer.from(text).toString("base64url");
      const typed = part({ alg: "RS256", kid: "a", typ: "JWT" });
      // firebase-admin stumbles over the last three.
      for (const token of [
        "nonsense",
        `${typed}.${encoded("null")}.c2ln`,
        `${typed}.${encoded("{")}.c2ln`,
        `${part({ alg: "HS256", typ: "JWT" })}.${part({ v: 0, d: null })}.c2ln`,
      ])
        expect((await rejects(Refusal, authenticate(`Bearer ${token}`))).message, token).to.match(/not a signed JWT/);
    } finally {
      await deleteApp(firebase);
    }
  });

  it("of the emulator, which signs nothing, must say what the user's record says", async () => {
    const auth = (customClaims: Readonly<Record<string, unknown>> | undefined): FirebaseAuth => ({
      verifyIdToken: async () => CLAIMS,
      getUser: async () => ({ customClaims }),
    });
    expect((await verifier(auth({ tenant: "acme", roles: ["user"] }), true)("abc")).sub).to.equal("ada");
    for (const record of [undefined, {}, { tenant: "twin", roles: ["user"] }, { tenant: "acme", roles: ["user", "manager"] }]) {
      await rejects(errors.JWSSignatureVerificationFailed, verifier(auth(record), true)("abc"));
    }
  });
});

describe("The launcher of the Firestore emulator", () => {
  it("is a JAR whose manifest names the class and where it lies, folded as manifests are", async () => {
    const directory = await temporaryDirectory();
    try {
      const jar = join(directory.path, `${"a long name ".repeat(20)}é.jar`);
      const path = join(directory.path, "launcher.jar");
      writeLauncherJar(path, jar);
      const bytes = await readFile(path);
      expect(bytes.subarray(0, 4)).to.deep.equal(Buffer.from("PK\x03\x04"));
      const manifest = bytes.toString("latin1").split("META-INF/MANIFEST.MF", 2)[1] ?? "";
      const lines = (manifest.split("\r\n\r\n", 1)[0] ?? "").split("\r\n");
      for (const line of lines) expect(line.length).to.be.most(70);
      const unfolded = lines.join("\n").replaceAll("\n ", "").split("\n");
      expect(unfolded.slice(0, 2)).to.deep.equal(["Manifest-Version: 1.0", `Main-Class: ${EMULATOR_CLASS}`]);
      expect(unfolded[2]).to.match(/^Class-Path: file:\/\/\/.*a%20long%20name.*%C3%A9\.jar$/);
    } finally {
      await directory.remove();
    }
  });

  it("is written as the same bytes every time", () => {
    const zip = () => storedZip([{ name: "a", bytes: Buffer.from("abc") }]);
    expect(zip().equals(zip())).to.equal(true);
    expect(zip().length).to.equal(30 + 1 + 3 + 46 + 1 + 22);
  });
});
