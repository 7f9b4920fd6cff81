import { generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { SECRET, tokenOf } from "../../support/functions-backend.ts";
import type { HttpCase, Sender, Sent } from "./http-case.ts";
import { add } from "./http-case.ts";

const now = () => Math.floor(Date.now() / 1000);
const claims = () => ({ sub: "ada", tenant: "acme", roles: ["manager", "user", "auditor"], exp: now() + 600 });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

async function signed(algorithm: string, key: Parameters<SignJWT["sign"]>[0]): Promise<string> {
  return new SignJWT(claims()).setProtectedHeader({ alg: algorithm }).sign(key);
}

/** Tokens that must not open the door, and what the refusal says. */
const TOKENS: readonly (readonly [title: string, token: () => Promise<string> | string, detail: RegExp])[] = [
  ["that is no token", () => "nonsense", /not a signed JWT/],
  ["of alg none", () => new UnsecuredJWT(claims()).encode(), /not a signed JWT|algorithm/],
  ["of alg none with a signature", () => `${part({ alg: "none" })}.${part(claims())}.AAAA`, /not a signed JWT|algorithm/],
  ["of HS512 with the right secret", () => signed("HS512", new Uint8Array([...SECRET, ...SECRET])), /algorithm/],
  ["of RS256", async () => signed("RS256", (await generateKeyPair("RS256")).privateKey), /algorithm/],
  ["signed with another secret", () => signed("HS256", new Uint8Array(32)), /another secret/],
  [
    "whose tenant was changed",
    async () => {
      const [head, , signature] = (await tokenOf()).split(".");
      return `${head}.${part({ ...claims(), tenant: "twin" })}.${signature}`;
    },
    /another secret/,
  ],
  ["that has expired", () => tokenOf({ exp: now() - 60 }), /expired/],
  ["without exp", () => tokenOf({ exp: undefined }), /claim exp/],
  ["without tenant", () => tokenOf({ tenant: undefined }), /claim tenant/],
  ["whose tenant climbs", () => tokenOf({ tenant: "../twin" }), /tenant/],
  ["whose roles are a text", () => tokenOf({ roles: "manager" }), /roles/],
  ["whose roles are an object", () => tokenOf({ roles: { manager: true } }), /roles/],
];

const GUARDED: readonly ((as: Sender) => Sent)[] = [
  (as) => add("guarded", 1, {}, as),
  (as) => ({ path: "/aggregates/summing-calculators/guarded", as }),
  (as) => ({ path: "/aggregates/summing-calculators/guarded/events", as }),
  (as) => ({ path: "/views/totals", as }),
  (as) => ({ path: "/views/totals/guarded", as }),
  (as) => ({ path: "/events", as }),
];

function refusedEverywhere(title: string, as: Sender, detail: RegExp, challenge: string | RegExp): HttpCase {
  return {
    title,
    steps: GUARDED.map((send) => ({
      send: send(as),
      expect: { status: 401, headers: { "www-authenticate": challenge }, problem: { code: "unauthenticated", detail } },
    })),
  };
}

function schemeRefused(authorization: string): HttpCase {
  return {
    title: `asks for a token where Authorization is ${JSON.stringify(authorization)}`,
    steps: [
      {
        send: { path: "/views/totals", as: null, headers: { authorization } },
        expect: {
          status: 401,
          headers: { "www-authenticate": 'Bearer realm="evenant"' },
          problem: { code: "unauthenticated", detail: /Authorization: Bearer <token>/ },
        },
      },
    ],
  };
}

/** Who is nobody. */
export const BAD_TOKEN_CASES: readonly HttpCase[] = [
  refusedEverywhere("refuses a request without a token on every route", null, /Bearer <token>/, 'Bearer realm="evenant"'),
  ...TOKENS.map(([title, make, detail]) =>
    refusedEverywhere(
      `refuses a token ${title} on every route`,
      make,
      detail,
      /^Bearer realm="evenant", error="invalid_token", error_description="[^"]+"$/,
    ),
  ),
  ...["", "Bearer", "Basic YWRhOnNlY3JldA==", "Bearer a b", "Token abc"].map(schemeRefused),
];
