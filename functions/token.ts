import { parseArgs } from "node:util";
import { SignJWT } from "jose";
import { Actor, Err } from "../core/index.ts";
import { hmacKey } from "./auth.ts";
import { developmentSecret } from "./secret.ts";
import { fail, readSettings, SetupError } from "./settings.ts";

const USAGE = "npm run -s token -- --tenant acme --id ada --roles manager,user [--name Ada] [--expires 8h]";

/** Prints a development token, and nothing else, on standard output. */
async function main(): Promise<void> {
  const { actor, expires } = readArguments();
  const { dataDir } = readSettings({ ...process.env, PORT: undefined });
  const token = new SignJWT({ tenant: actor.tenant, roles: actor.roles, name: actor.name })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setSubject(actor.id)
    .setIssuedAt()
    .setExpirationTime(expires);
  console.log(await token.sign(await hmacKey(await developmentSecret(dataDir), "sign")));
}

function readArguments(): { actor: Actor; expires: string } {
  try {
    const { values } = parseArgs({
      options: {
        tenant: { type: "string" },
        id: { type: "string" },
        roles: { type: "string", default: "" },
        name: { type: "string" },
        expires: { type: "string", default: "8h" },
      },
    });
    if (!/^[1-9]\d{0,3}[smhd]$/.test(values.expires))
      throw new SetupError(`--expires ${values.expires} is no time: give 30m, 8h or 7d.`);
    const actor = new Actor({
      id: values.id ?? "",
      tenant: values.tenant ?? "",
      roles: values.roles.split(",").filter((role) => role !== ""),
      ...(values.name !== undefined && { name: values.name }),
    });
    return { actor, expires: values.expires };
  } catch (error) {
    if (error instanceof SetupError) throw error;
    // parseArgs throws TypeErrors that name the option.
    if (Err.is(error) || error instanceof TypeError) throw new SetupError(`${error.message}\nUsage: ${USAGE}`);
    throw error;
  }
}

await main().catch(fail);
