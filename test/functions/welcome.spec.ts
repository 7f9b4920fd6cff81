import { expect } from "chai";
import { welcome } from "../../functions/welcome.ts";

const START = { url: "http://127.0.0.1:8080", dataDir: "data", isDataDirSet: false, home: "/app", cwd: "/app" };

describe("What npm start prints", () => {
  it("names no command of the examples where they were replaced, but a token and the description of what is served", () => {
    const text = welcome({ ...START, hasExamples: false });
    expect(text).not.to.match(/AddNumbers|totals/);
    expect(text).to.include("npm run -s token -- --tenant acme --id ada --roles");
    expect(text).to.include("curl -s http://127.0.0.1:8080/openapi.json");
  });

  it("names commands to paste where the examples are served", () => {
    expect(welcome({ ...START, hasExamples: true })).to.match(
      /curl .*\/commands\/AddNumbers\n[\s\S]*curl .*\/views\/totals\/calc1/,
    );
  });
});
