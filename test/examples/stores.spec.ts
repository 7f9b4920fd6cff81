import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect } from "chai";
import { HOME } from "../support/functions-server.ts";

const run = promisify(execFile);
/** In a process of its own, because the configuration sets its environment. */
const TELL = `
  const { default: config } = await import("./.mocharc.core.js");
  const { STORES } = await import("./test/support/stores.ts");
  console.log(JSON.stringify([STORES.map(({ name }) => name), config.forbidPending]));`;

describe("npm run test:core", () => {
  it("runs what runs on every store on the embedded ones alone, and needs no emulator, in CI neither", async () => {
    const env = { PATH: process.env.PATH, CI: "true" };
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", TELL], { cwd: HOME, env });
    expect(JSON.parse(stdout)).to.deep.equal([["memory", "awkward", "SQLite"], false]);
  });
});
