import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SetupError } from "./settings.ts";

const NAME = "token-secret";
/** 256 bits, what HS256 asks for at least. */
const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;

/**
 * The secret that signs development tokens, from a file in DATA_DIR that only its owner can read; made when it is not there.
 *
 * Whoever comes first makes it, also when a server and `npm run token` start together: it appears whole or not at all.
 * @throws {SetupError} where DATA_DIR cannot be written, or the file is open to others or is no secret.
 */
export async function developmentSecret(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, NAME);
  try {
    await makeDirectory(dataDir);
    return (await read(path)) ?? (await make(path));
  } catch (error) {
    if (error instanceof SetupError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new SetupError(`DATA_DIR ${dataDir} cannot be used (${code}): name a directory that this user can write.`);
  }
}

/** Not `mkdir`'s own recursion, which never ends where a parent is there but takes no directories (`/proc`). */
async function makeDirectory(path: string, isRetry = false): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || isRetry) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path, true);
  }
}

async function read(path: string): Promise<Uint8Array | undefined> {
  let text: string;
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      throw new SetupError(`${path} can be read by others: run chmod 600 on it, or delete it to make a new one.`);
    }
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  if (!SECRET.test(text)) throw new SetupError(`${path} does not hold a secret: delete it to make a new one.`);
  return new Uint8Array(Buffer.from(text, "base64url"));
}

/** Links a finished file to the name, which fails where the name is taken: so nobody sees half a secret, and nobody replaces one. */
async function make(path: string): Promise<Uint8Array> {
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(SECRET_BYTES).toString("base64url"));
    await file.sync();
    await link(draft, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
  const secret = await read(path);
  if (secret === undefined) throw new SetupError(`${path} was deleted while it was made: start again.`);
  return secret;
}
