import { expect } from "chai";
import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { type Backend, SECRET, startBackend, tokenOf } from "../support/functions-backend.ts";

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: "ada", tenant: "acme", roles: ["manager", "user", "auditor"], exp: now() + 600 });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function signed(algorithm: string, key: Parameters<SignJWT["sign"]>[0]): Promise<string> {
  return new SignJWT(claims()).setProtectedHeader({ alg: algorithm }).sign(key);
}

/** Tokens that must not open the door, and what the refusal says. */
const REFUSED: readonly (readonly [title: string, token: () => Promise<string> | string, detail: RegExp])[] = [
  ["that is no token", () => "nonsense", /not a signed JWT/],
  ["of three empty parts", () => "..", /not a signed JWT/],
  ["of alg none", () => new UnsecuredJWT(claims()).encode(), /not a signed JWT|algorithm/],
  ["of alg none, spelled otherwise", () => `${part({ alg: "nOnE" })}.${part(claims())}.`, /not a signed JWT|algorithm/],
  ["of alg none with a signature", () => `${part({ alg: "none" })}.${part(claims())}.AAAA`, /not a signed JWT|algorithm/],
  ["without an algorithm", () => `${part({})}.${part(claims())}.AAAA`, /not a signed JWT/],
  ["of HS512 with the right secret", () => signed("HS512", new Uint8Array([...SECRET, ...SECRET])), /algorithm/],
  ["of RS256", async () => signed("RS256", (await generateKeyPair("RS256")).privateKey), /algorithm/],
  ["signed with another secret", () => signed("HS256", new Uint8Array(32)), /another secret/],
  [
    "whose claims were changed",
    async () => {
      const [head, , signature] = (await tokenOf()).split(".");
      return `${head}.${part({ ...claims(), tenant: "victim" })}.${signature}`;
    },
    /another secret/,
  ],
  ["without its signature", async () => `${(await tokenOf()).split(".").slice(0, 2).join(".")}.`, /another secret|not a signed/],
  [
    "with a critical header",
    async () => `${part({ alg: "HS256", crit: ["x"], x: 1 })}.${part(claims())}.AAAA`,
    /not a signed JWT/,
  ],
  ["that has expired", () => tokenOf({ exp: now() - 60 }), /expired/],
  ["that is not valid yet", () => tokenOf({ nbf: now() + 600 }), /claim nbf/],
  ["without exp", () => tokenOf({ exp: undefined }), /claim exp/],
  ["whose exp is a text", () => tokenOf({ exp: "2099" }), /claim exp/],
  ["without sub", () => tokenOf({ sub: undefined }), /claim sub/],
  ["whose sub is empty", () => tokenOf({ sub: "" }), /sub/],
  ["whose sub is a number", () => tokenOf({ sub: 7 }), /sub/],
  ["whose sub has a NUL", () => tokenOf({ sub: "a\u0000" }), /sub/],
  ["without tenant", () => tokenOf({ tenant: undefined }), /claim tenant/],
  ["whose tenant is empty", () => tokenOf({ tenant: "" }), /tenant/],
  ["whose tenant is null", () => tokenOf({ tenant: null }), /tenant/],
  ["whose tenant is an array", () => tokenOf({ tenant: ["acme"] }), /tenant/],
  ["whose tenant climbs", () => tokenOf({ tenant: "../victim" }), /tenant/],
  ["whose tenant is a path", () => tokenOf({ tenant: "victim/events/e1" }), /tenant/],
  ["without roles", () => tokenOf({ roles: undefined }), /claim roles/],
  ["whose roles are a text", () => tokenOf({ roles: "manager" }), /roles/],
  ["whose roles are an object", () => tokenOf({ roles: { manager: true } }), /roles/],
  ["whose roles hold a number", () => tokenOf({ roles: [1] }), /roles/],
  ["whose roles hold an empty text", () => tokenOf({ roles: [""] }), /roles/],
  ["whose roles are null", () => tokenOf({ roles: null }), /roles/],
  ["whose name is a number", () => tokenOf({ name: 7 }), /name/],
  ["whose name is empty", () => tokenOf({ name: "" }), /name/],
];

describe("Tokens", () => {
  let backend: Backend;
  before(async () => {
    backend = await startBackend();
    await backend.command("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 });
  });
  after(() => backend.close());

  for (const [title, make, detail] of REFUSED) {
    it(`refuses one ${title}, and writes nothing`, async () => {
      const before = await backend.written();
      const token = await make();
      const answers = [
        await backend.command("AddNumbers", { aggregateId: "calc1", number1: 1, number2: 2 }, {}, token),
        await backend.send("/aggregates/summing-calculators/calc1", { token }),
        await backend.send("/views/totals", { token }),
        await backend.send("/events", { token }),
      ];
      for (const { status, headers, body } of answers) {
        expect(status).to.equal(401);
        expect(headers.get("content-type")).to.equal("application/problem+json");
        expect(headers.get("www-authenticate")).to.match(
          /^Bearer realm="evenant", error="invalid_token", error_description="[^"]+"$/,
        );
        expect(body).to.include({ code: "unauthenticated", status: 401 });
        expect(body.detail).to.match(detail);
      }
      expect(await backend.written()).to.deep.equal(before);
    });
  }

  for (const authorization of [undefined, "", "Bearer", "Bearer ", "Basic YWRhOnNlY3JldA==", "Bearer a b", "Token abc"]) {
    it(`asks for a token where the header is ${JSON.stringify(authorization)}`, async () => {
      const answer = await backend.send("/views/totals", {
        token: "",
        ...(authorization !== undefined && { headers: { authorization } }),
      });
      expect(answer.status).to.equal(401);
      expect(answer.headers.get("www-authenticate")).to.equal('Bearer realm="evenant"');
      expect(answer.body).to.include({ code: "unauthenticated" });
      expect(answer.body.detail).to.contain("Authorization: Bearer <token>");
    });
  }

  it("takes the scheme in any case, and the actor's name from the claim or the id", async () => {
    const token = await tokenOf({ name: "Ada L." });
    const answer = await backend.send("/aggregates/summing-calculators/calc1", { headers: { authorization: `bearer ${token}` } });
    expect(answer.status).to.equal(200);
    await backend.command("AddNumbers", { aggregateId: "named", number1: 1, number2: 2 }, {}, token);
    const history = await backend.send("/aggregates/summing-calculators/named/events");
    expect(history.body.commits[0]!.actor).to.deep.equal({ id: "ada", name: "Ada L." });
  });

  it("keeps tenants apart: the token alone says which one is meant", async () => {
    const evil = await tokenOf({ tenant: "evil", roles: ["user", "auditor"] });
    const before = (await backend.written()).find(([tenant]) => tenant === "acme");
    const answer = await backend.command(
      "AddNumbers",
      { aggregateId: "calc1", number1: 100, number2: 0, tenant: "acme" },
      { "x-tenant": "acme", "idempotency-key": "k" },
      evil,
    );
    expect(answer.body).to.include({ version: 0 });
    expect(answer.body.state.sum).to.equal(100);
    expect((await backend.written()).find(([tenant]) => tenant === "acme")).to.deep.equal(before);
    const state = await backend.send("/aggregates/summing-calculators/calc1?tenant=acme", { token: evil });
    expect(state.body.state.sum).to.equal(100);
    const stranger = await tokenOf({ tenant: "stranger", roles: ["user", "auditor"] });
    for (const path of [
      "/aggregates/summing-calculators/calc1",
      "/aggregates/summing-calculators/calc1/events",
      "/views/totals/calc1",
    ]) {
      const { status, body } = await backend.send(path, { token: stranger });
      expect(status, path).to.equal(404);
      expect(body.code).to.equal("not_found");
    }
    expect((await backend.send("/events", { token: stranger })).body.commits).to.deep.equal([]);
    expect((await backend.send("/views/totals", { token: stranger })).body.views).to.deep.equal([]);
  });

  it("logs neither tokens nor payloads", () => {
    const text = JSON.stringify(backend.lines);
    expect(text).not.to.match(/eyJ[\w-]+\.|Bearer|number1/);
    expect(backend.lines.some(({ tenant, actor }) => tenant === "acme" && actor === "ada")).to.equal(true);
  });
});
