import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { developmentSecret } from "../../functions/secret.ts";
import { Serving } from "../support/functions-serving.ts";

describe("npm start says in one sentence what keeps it from starting, and ends with code 1", function () {
  this.timeout(20_000);
  let serving: Serving;

  beforeEach(async () => {
    serving = await Serving.begin();
  });
  afterEach(() => serving.end());

  const refuses = async (environment: Readonly<Record<string, string>>, sentence: RegExp): Promise<void> => {
    const child = serving.run(process.execPath, ["functions/serve.ts"], environment);
    const { code, stdout, stderr } = await child.ended;
    expect(code).to.equal(1);
    expect(stdout).to.equal("");
    expect(stderr).to.match(sentence);
    expect(stderr.trim().split("\n").length, stderr).to.equal(1);
  };

  for (const port of ["abc", "-1", "70000", "80.5", "0x50", " "]) {
    it(`the PORT ${JSON.stringify(port)}`, () => refuses({ PORT: port }, /^PORT is .*65535/));
  }

  it("a limit that is none, or an origin", async () => {
    await refuses({ TENANT_RATE: "many" }, /^TENANT_RATE is "many"/);
    await refuses({ CORS_ORIGINS: "*" }, /^CORS_ORIGINS: .* is no origin/);
  });

  it("a port that is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    try {
      await refuses({ PORT: String(port) }, /^Port \d+ of 127\.0\.0\.1 is taken/);
    } finally {
      // Also where it is not refused: an open server would keep mocha from ending.
      await new Promise((resolve) => other.close(resolve));
    }
  });

  it("a DATA_DIR that cannot be written", async () => {
    const file = join(serving.path, "file");
    await writeFile(file, "");
    await refuses({ DATA_DIR: file }, /^DATA_DIR .*file cannot be used/);
    await refuses({ DATA_DIR: join(file, "data") }, /^DATA_DIR .*data cannot be used/);
    await refuses({ DATA_DIR: "/proc/evenant" }, /^DATA_DIR .* cannot be used/);
  });

  it("a secret that others can read", async () => {
    await developmentSecret(serving.path);
    await chmod(join(serving.path, "token-secret"), 0o644);
    await refuses({}, /can be read by others: run chmod 600/);
  });

  it("a secret that is none", async () => {
    await writeFile(join(serving.path, "token-secret"), "short", { mode: 0o600 });
    await refuses({}, /does not hold a secret/);
  });

  it("a database that is none", async () => {
    await writeFile(join(serving.path, "evenant.db"), "this is no database, however long it may be".repeat(100));
    await refuses({}, /evenant\.db cannot be opened/);
  });
});
