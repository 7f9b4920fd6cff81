import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from "jose";

/** A key of an issuer. */
export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
  /** The public key as a text: what a forger would take for an HMAC secret. */
  readonly pem: string;
}

/** An issuer of tokens on this machine that publishes its keys. */
export interface Issuer {
  readonly url: string;
  /** The keys that are published now. */
  keys: readonly IssuerKey[];
  /** In place of the keys: another status, another body, or nothing at all. */
  mood: "well" | "broken" | "nonsense" | "redirecting" | "silent";
  /** How often the keys were asked for. */
  asked: number;
  close(): Promise<void>;
}

/** Makes a key pair. */
export async function issuerKey(kid: string, alg = "RS256"): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    alg,
    privateKey,
    jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" },
    pem: await exportSPKI(publicKey),
  };
}

/** Signs claims with a key, whatever they say. */
export function signedBy({ kid, alg, privateKey }: IssuerKey, claims: Readonly<Record<string, unknown>>): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey);
}

/** Starts an issuer. */
export async function startIssuer(keys: readonly IssuerKey[]): Promise<Issuer> {
  const issuer = { keys, mood: "well" as Issuer["mood"], asked: 0 };
  const server = createServer((_request, response) => {
    issuer.asked++;
    if (issuer.mood === "silent") return;
    if (issuer.mood === "broken") response.writeHead(500).end("down");
    else if (issuer.mood === "redirecting") response.writeHead(302, { location: "/elsewhere" }).end();
    else if (issuer.mood === "nonsense") response.end("<html>");
    else response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(issuer, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}
