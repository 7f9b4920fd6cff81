import { expect } from "chai";
import { readEdgeSettings } from "../../functions/edge-settings.ts";
import { SetupError } from "../../functions/settings.ts";

describe("The settings of the edge", () => {
  it("allow no origin and limit nothing where the environment says nothing", () => {
    expect(readEdgeSettings({})).to.deep.equal({});
    expect(readEdgeSettings({ CORS_ORIGINS: "", TENANT_RATE: "", GOOGLE_CLOUD_PROJECT: "" })).to.deep.equal({});
  });

  it("take origins, limits and the project from it", () => {
    expect(
      readEdgeSettings({
        CORS_ORIGINS: "https://app.example, http://localhost:5173",
        TENANT_RATE: "50",
        ACTOR_BURST: "5",
        GOOGLE_CLOUD_PROJECT: "demo",
      }),
    ).to.deep.equal({
      origins: ["https://app.example", "http://localhost:5173"],
      rateLimits: { tenant: { rate: 50, burst: 100 }, actor: { rate: 12.5, burst: 5 } },
      traceProject: "demo",
    });
    expect(readEdgeSettings({ TENANT_RATE: "0.5" }).rateLimits).to.deep.equal({
      tenant: { rate: 0.5, burst: 2 },
      actor: { rate: 0.125, burst: 1 },
    });
  });

  for (const [environment, sentence] of [
    [{ CORS_ORIGINS: "*" }, /^CORS_ORIGINS: .*\* is no origin/],
    [{ CORS_ORIGINS: "https://app.example/" }, /^CORS_ORIGINS: /],
    [{ CORS_ORIGINS: "app.example" }, /^CORS_ORIGINS: /],
    [{ TENANT_RATE: "many" }, /^TENANT_RATE is "many"/],
    [{ TENANT_RATE: "-1" }, /^TENANT_RATE is "-1"/],
    [{ TENANT_RATE: "0" }, /tenant\.rate/],
    [{ TENANT_RATE: "10", ACTOR_RATE: "9" }, /ACTOR_RATE.*at most half/],
    [{ ACTOR_RATE: "9" }, /^TENANT_RATE is not set/],
  ] as const) {
    it(`refuse ${JSON.stringify(environment)} in one sentence`, () => {
      expect(() => readEdgeSettings(environment)).to.throw(SetupError, sentence);
    });
  }
});
