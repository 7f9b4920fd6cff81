import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { SignJWT } from "jose";
import type { Actor } from "../../core/index.ts";
import { app } from "../../functions/app.ts";
import type { AppSetting } from "../../functions/app-setting.ts";
import { hmacKey } from "../../functions/auth.ts";
import type { Composition } from "../../functions/composition.ts";
import { problemOf, problemResponse } from "../../functions/problem.ts";
import { checkMayReadViews } from "../../functions/read-access.ts";
import type { Asset } from "./assets.ts";
import { demoUsers } from "./demo-users.ts";
import { Item, type ItemView, ShoppingList } from "./shopping.ts";

const list = new ShoppingList();

/** What this backend consists of. */
export const shopping: Composition = { aggregates: [Item], threads: { lists: [list] } };

/** Nothing but this origin: the page needs no inline script and no other host. */
const PAGE_HEADERS = {
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** Settings of the backend. */
export interface BackendSetting extends AppSetting {
  readonly assets: ReadonlyMap<string, Asset>;
  /** Signs the tokens of the development login. */
  readonly secret: Uint8Array;
}

/** An application of its own: a page, a login, a route, and below them everything that Evenant's application answers. */
export function backend(setting: BackendSetting): Hono {
  const { service, authenticate, assets, secret } = setting;
  const evenant = app(setting);
  const own = new Hono();
  own.onError((error) => (error instanceof HTTPException ? error.getResponse() : problemResponse(problemOf(error))));

  for (const [path, { type, text }] of assets) {
    own.get(path, (context) => context.body(text, 200, { "content-type": type, ...PAGE_HEADERS }));
  }

  own.get("/demo-users", (context) => context.json(demoUsers.map(({ id, name, tenant }) => ({ id, name, team: tenant }))));

  own.post("/sign-in/:user", async (context) => {
    // A page of another site must not sign in here: a browser names the site of the page that asks.
    const site = context.req.header("Sec-Fetch-Site") ?? "same-origin";
    const user = demoUsers.find(({ id }) => id === context.req.param("user"));
    if (site !== "same-origin" || !isLoopback(context.req.url)) throw new HTTPException(403, { message: "development only" });
    if (user === undefined) throw new HTTPException(404, { message: "there is no such demo user" });
    return context.json({ token: await signed(user, secret), id: user.id, name: user.name, team: user.tenant });
  });

  // A route of this application's own, beside those of Evenant: the list as text, to print or to mail.
  own.get("/list.txt", async (context) => {
    const actor = await authenticate(context.req.header("Authorization") ?? null);
    checkMayReadViews(actor, list.collection, list.readers);
    const { views } = await service.reader.views<ItemView>(actor.tenant, list).list({ limit: 1_000 });
    const lines = views.map(({ value }) => value).map(({ text, wanted, bought }) => `${wanted - bought} × ${text}`);
    return context.text(`${lines.sort().join("\n")}\n`);
  });

  own.all("*", (context) => evenant.fetch(context.req.raw));
  return own;
}

/** A name that another machine's DNS cannot point to this one. */
function isLoopback(url: string): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(new URL(url).hostname);
}

async function signed({ id, name, tenant, roles }: Actor, secret: Uint8Array): Promise<string> {
  const token = new SignJWT({ tenant, roles, name }).setProtectedHeader({ alg: "HS256", typ: "JWT" });
  return token
    .setSubject(id)
    .setIssuedAt()
    .setExpirationTime("8h")
    .sign(await hmacKey(secret, "sign"));
}
