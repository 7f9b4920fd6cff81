import { execFile } from "node:child_process";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect } from "chai";
import { bearerAuthenticator, secretVerifier } from "../../functions/auth.ts";
import { developmentSecret } from "../../functions/secret.ts";
import { Child, HOME, temporaryDirectory } from "../support/functions-server.ts";

const run = promisify(execFile);

describe("npm run token", function () {
  this.timeout(20_000);
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  const token = (...args: string[]) =>
    new Child(process.execPath, ["functions/token.ts", ...args], { DATA_DIR: directory.path }).ended;
  const actorOf = async (text: string) =>
    bearerAuthenticator(await secretVerifier(await developmentSecret(directory.path)))(`Bearer ${text.trim()}`);

  beforeEach(async () => {
    directory = await temporaryDirectory();
  });
  afterEach(() => directory.remove());

  it("prints the token alone, whose claims make the actor", async () => {
    const { code, stdout, stderr } = await token(
      "--tenant",
      "acme",
      "--id",
      "ada",
      "--roles",
      "manager,user",
      "--name",
      "Ada L.",
    );
    expect([code, stderr]).to.deep.equal([0, ""]);
    expect(stdout).to.match(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect({ ...(await actorOf(stdout)) }).to.deep.equal({
      id: "ada",
      name: "Ada L.",
      tenant: "acme",
      roles: ["manager", "user"],
    });
  });

  it("works as it is documented, through npm", async () => {
    const { stdout } = await run("npm", ["run", "-s", "token", "--", "--tenant", "acme", "--id", "ada", "--roles", "user"], {
      cwd: HOME,
      env: { ...process.env, DATA_DIR: directory.path },
    });
    expect((await actorOf(stdout)).roles).to.deep.equal(["user"]);
  });

  it("keeps the secret in a file that only its owner can read, and leaves no draft", async () => {
    await token("--tenant", "acme", "--id", "ada");
    expect(await readdir(directory.path)).to.deep.equal(["token-secret"]);
    const path = join(directory.path, "token-secret");
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
    expect(await readFile(path, "utf8")).to.match(/^[\w-]{43}$/);
  });

  it("makes one secret, however many begin at once", async () => {
    const data = join(directory.path, "data");
    const secrets = await Promise.all(Array.from({ length: 50 }, () => developmentSecret(data)));
    expect(new Set(secrets.map(String)).size).to.equal(1);
    const tokens = await Promise.all(Array.from({ length: 4 }, () => token("--tenant", "acme", "--id", "ada")));
    for (const { stdout } of tokens) expect((await actorOf(stdout)).id).to.equal("ada");
    expect(await readdir(data)).to.deep.equal(["token-secret"]);
  });

  for (const [args, sentence] of [
    [[], /actor\.id|tenant/],
    [["--tenant", "acme"], /actor\.id/],
    [["--id", "ada"], /actor\.tenant/],
    [["--tenant", "../x", "--id", "ada"], /actor\.tenant/],
    [["--tenant", "acme", "--id", "ada", "--role", "user"], /--role/],
    [["--tenant", "acme", "--id", "ada", "--expires", "never"], /--expires/],
    [["--tenant", "acme", "--id", "ada", "extra"], /extra/],
  ] as const) {
    it(`refuses ${JSON.stringify(args)}, and prints nothing on standard output`, async () => {
      const { code, stdout, stderr } = await token(...args);
      expect([code, stdout]).to.deep.equal([1, ""]);
      expect(stderr).to.match(sentence);
    });
  }

  it("makes a token that expires", async () => {
    const { stdout } = await token("--tenant", "acme", "--id", "ada", "--expires", "30m");
    const claims = JSON.parse(Buffer.from(stdout.split(".")[1] as string, "base64url").toString());
    expect(claims.exp - claims.iat).to.equal(30 * 60);
  });
});
