import { expect } from "chai";
import { SignJWT, UnsecuredJWT } from "jose";
import { bearerAuthenticator } from "../../functions/auth.ts";
import { type IssuerSettings, type JwksTimes, jwksVerifier } from "../../functions/aws/jwks.ts";
import { Refusal } from "../../functions/problem.ts";
import { type Issuer, type IssuerKey, issuerKey, signedBy, startIssuer } from "../support/jwks-server.ts";
import { rejects } from "../support/rejects.ts";

const now = () => Math.floor(Date.now() / 1000);

describe("Tokens by the published keys of an issuer", () => {
  let issuer: Issuer;
  let key: IssuerKey;
  let other: IssuerKey;
  let elliptic: IssuerKey;

  before(async () => {
    [key, other, elliptic] = await Promise.all([issuerKey("k1"), issuerKey("k2"), issuerKey("k3", "ES256")]);
  });
  beforeEach(async () => {
    issuer = await startIssuer([key]);
  });
  afterEach(() => issuer.close());

  const settings = (): IssuerSettings => ({
    issuer: issuer.url,
    audience: "client-1",
    jwks: new URL(`${issuer.url}/.well-known/jwks.json`),
    algorithms: ["RS256"],
    tenantClaim: "custom:tenant",
    rolesClaim: "cognito:groups",
  });
  const claims = (changed: Readonly<Record<string, unknown>> = {}) => ({
    sub: "ada",
    iss: issuer.url,
    aud: "client-1",
    "custom:tenant": "acme",
    "cognito:groups": ["user", "manager"],
    exp: now() + 600,
    ...changed,
  });
  const admit = (times?: JwksTimes, changed: Partial<IssuerSettings> = {}) => {
    const authenticate = bearerAuthenticator(jwksVerifier({ ...settings(), ...changed }, times));
    return (token: string) => authenticate(`Bearer ${token}`);
  };

  it("makes an actor of the issuer's claims, and asks for the keys once", async () => {
    const enter = admit();
    const tokens = [await signedBy(key, claims()), await signedBy(key, claims({ sub: "bob", "custom:tenant": "globex" }))];
    const actors = await Promise.all([...tokens, ...tokens].map(enter));
    expect(actors.map(({ id, tenant }) => [id, tenant])).to.deep.equal([
      ["ada", "acme"],
      ["bob", "globex"],
      ["ada", "acme"],
      ["bob", "globex"],
    ]);
    expect(actors[0]?.roles).to.deep.equal(["user", "manager"]);
    expect(issuer.asked).to.equal(1);
  });

  it("gives no roles to whoever is in no group, and takes no claims of other names", async () => {
    const bare = await signedBy(key, claims({ "cognito:groups": undefined, roles: ["manager"], tenant: "victim" }));
    const actor = await admit()(bare);
    expect([actor.tenant, actor.roles]).to.deep.equal(["acme", []]);
  });

  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const refused: readonly (readonly [title: string, token: () => Promise<string> | string, detail: RegExp])[] = [
    ["of alg none", () => new UnsecuredJWT(claims()).encode(), /not a signed JWT|algorithm/],
    [
      "of alg none with the issuer's kid",
      () => `${part({ alg: "none", kid: "k1" })}.${part(claims())}.`,
      /not a signed JWT|algorithm/,
    ],
    [
      "of HS256, signed with the public key",
      () => new SignJWT(claims()).setProtectedHeader({ alg: "HS256", kid: "k1" }).sign(new TextEncoder().encode(key.pem)),
      /algorithm/,
    ],
    [
      "of HS256, signed with the public key as it is published",
      () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: "HS256", kid: "k1" })
          .sign(new TextEncoder().encode(JSON.stringify(key.jwk))),
      /algorithm/,
    ],
    ["of another algorithm, though the issuer publishes the key", () => signedBy(elliptic, claims()), /algorithm/],
    ["signed with another key under the same kid", () => signedBy({ ...other, kid: "k1" }, claims()), /another|signed/],
    ["with a kid that nobody publishes", () => signedBy({ ...other, kid: "../../k1" }, claims()), /does not publish/],
    [
      "that brings its own key",
      () => new SignJWT(claims()).setProtectedHeader({ alg: "RS256", jwk: other.jwk, kid: "k1" }).sign(other.privateKey),
      /another|signed/,
    ],
    ["of another issuer", () => signedBy(key, claims({ iss: "https://evil.example" })), /claim iss/],
    ["of an issuer with a slash more", () => signedBy(key, claims({ iss: `${issuer.url}/` })), /claim iss/],
    ["without an issuer", () => signedBy(key, claims({ iss: undefined })), /claim iss/],
    ["for another audience", () => signedBy(key, claims({ aud: "client-2" })), /claim aud/],
    ["without an audience", () => signedBy(key, claims({ aud: undefined })), /claim aud/],
    ["that has expired", () => signedBy(key, claims({ exp: now() - 60 })), /expired/],
    ["without exp", () => signedBy(key, claims({ exp: undefined })), /claim exp/],
    ["that is not valid yet", () => signedBy(key, claims({ nbf: now() + 600 })), /claim nbf/],
    ["without a tenant", () => signedBy(key, claims({ "custom:tenant": undefined })), /claim custom:tenant/],
    [
      "whose tenant stands in another claim",
      () => signedBy(key, claims({ "custom:tenant": undefined, tenant: "acme" })),
      /custom:tenant/,
    ],
    ["whose tenant climbs", () => signedBy(key, claims({ "custom:tenant": "../victim" })), /tenant/],
    ["whose tenant is an array", () => signedBy(key, claims({ "custom:tenant": ["acme"] })), /tenant/],
    ["whose roles are a text", () => signedBy(key, claims({ "cognito:groups": "manager" })), /roles/],
    ["whose roles are an object", () => signedBy(key, claims({ "cognito:groups": { manager: true } })), /roles/],
    ["without sub", () => signedBy(key, claims({ sub: undefined })), /claim sub/],
  ];
  for (const [title, make, detail] of refused) {
    it(`refuses a token ${title}`, async () => {
      issuer.keys = [key, elliptic];
      const refusal = await rejects(Refusal, admit()(await make()));
      expect([refusal.code, refusal.headers["www-authenticate"]?.slice(0, 47)]).to.deep.equal([
        "unauthenticated",
        'Bearer realm="evenant", error="invalid_token", ',
      ]);
      expect(refusal.message).to.match(detail);
    });
  }

  it("refuses by the claims alone, whoever signed, and asks nobody for keys, where they are another's or over", async () => {
    const enter = admit();
    for (const [changed, detail] of [
      [{ exp: now() - 6 }, /expired/],
      [{ iss: "https://evil.example" }, /claim iss/],
      [{ aud: ["client-2", "client-10"] }, /claim aud/],
    ] as const)
      expect((await rejects(Refusal, enter(await signedBy(other, claims(changed))))).message).to.match(detail);
    expect(issuer.asked).to.equal(0);
    expect((await enter(await signedBy(key, claims({ exp: now() - 3, aud: ["client-2", "client-1"] })))).id).to.equal("ada");
  });

  it("follows the issuer to a new key, and drops the one that is withdrawn", async () => {
    const enter = admit({ cooldown: 0, cacheAge: 60_000 });
    await enter(await signedBy(key, claims()));
    issuer.keys = [key, other];
    expect((await enter(await signedBy(other, claims()))).id).to.equal("ada");
    expect(issuer.asked).to.equal(2);
    issuer.keys = [other];
    // The withdrawn key still counts until the keys are fetched again: cacheAge, 10 minutes, or an unknown kid.
    await rejects(Refusal, enter(await signedBy({ ...key, kid: "k9" }, claims())));
    expect((await rejects(Refusal, enter(await signedBy(key, claims())))).code).to.equal("unauthenticated");
  });

  it("fetches the keys again when they have become old", async () => {
    const enter = admit({ cacheAge: 0 });
    const token = await signedBy(key, claims());
    await enter(token);
    issuer.keys = [other];
    await rejects(Refusal, enter(token));
    expect(issuer.asked).to.equal(2);
  });

  it("is not made to call the issuer for each unknown key", async () => {
    const enter = admit();
    await enter(await signedBy(key, claims()));
    for (let index = 0; index < 20; index++)
      await rejects(Refusal, enter(await signedBy({ ...other, kid: `made-up-${index}` }, claims())));
    expect(issuer.asked).to.equal(1);
  });

  for (const mood of ["broken", "nonsense", "redirecting", "silent"] as const) {
    it(`does not blame the token when the issuer is ${mood}, and recovers`, async () => {
      const enter = admit({ deadline: 100, pause: 0 });
      const token = await signedBy(key, claims());
      issuer.mood = mood;
      const refusal = await rejects(Refusal, enter(token));
      expect([refusal.code, refusal.headers["retry-after"], refusal.facts]).to.deep.equal([
        "store",
        "1",
        { retryable: true, outcome: "none" },
      ]);
      expect(refusal.message).not.to.contain("127.0.0.1");
      issuer.mood = "well";
      expect((await enter(token)).id).to.equal("ada");
    });
  }

  it("asks an issuer that is down once a second, whatever the number of tokens, and refuses them at once meanwhile", async () => {
    const enter = admit({ deadline: 300 });
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, index) => signedBy(key, claims({ sub: `user${index}` }))));
    issuer.mood = "silent";
    const begin = performance.now();
    await Promise.all(tokens.map((token) => rejects(Refusal, enter(token))));
    for (const token of tokens) {
      const { status, headers } = await rejects(Refusal, enter(token));
      expect([status, headers["retry-after"]]).to.deep.equal([503, "1"]);
    }
    const ms = performance.now() - begin;
    expect(issuer.asked).to.be.at.most(1 + Math.floor(ms / 1_000));
    expect(ms, "not a deadline for each token").to.be.below(20 * 300);
  });

  it("goes on with the keys that it has while an unknown one cannot be looked for", async () => {
    const enter = admit({ cooldown: 0 });
    const known = await signedBy(key, claims());
    await enter(known);
    issuer.mood = "broken";
    for (let index = 0; index < 20; index++) await rejects(Refusal, enter(await signedBy(other, claims())));
    expect((await enter(known)).id).to.equal("ada");
    expect(issuer.asked).to.be.at.most(3);
  });

  it("takes other claim names and elliptic keys where it is told so", async () => {
    issuer.keys = [elliptic];
    const enter = admit({}, { algorithms: ["ES256"], tenantClaim: "tenant", rolesClaim: "roles" });
    const actor = await enter(await signedBy(elliptic, claims({ tenant: "globex", roles: ["auditor"] })));
    expect([actor.tenant, actor.roles]).to.deep.equal(["globex", ["auditor"]]);
  });
});
