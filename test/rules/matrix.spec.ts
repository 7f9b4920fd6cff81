import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { onesided, reportOf } from "../support/rules-coverage.ts";
import { allCases, type RulesProject, rulesProject, wrongAnswers } from "../support/rules-environment.ts";
import { IDENTITIES } from "../support/rules-identities.ts";

const RULES = join(import.meta.dirname, "..", "..", "firestore.rules");

describe("firestore.rules on the emulator", function () {
  this.timeout(60_000);
  let project: RulesProject;

  before(async function () {
    needsFirestore(this);
    project = await rulesProject(await readFile(RULES, "utf8"));
  });
  after(() => project?.close());

  it("are asked at least 300 questions, of which some must be allowed", () => {
    expect(allCases()).to.have.length.at.least(300);
    expect(allCases().filter(({ isEntitled }) => isEntitled)).to.have.length.at.least(40);
  });

  for (const identity of IDENTITIES) {
    const cases = allCases().filter((one) => one.identity === identity);
    const allowed = cases.filter(({ isEntitled }) => isEntitled).length;
    it(`allow ${identity.name} ${allowed} and deny ${cases.length - allowed} of what can be asked`, async () => {
      expect(await wrongAnswers(project, cases)).to.deep.equal([]);
    });
  }

  it("have no condition, nor part of one, that was not seen both true and false", async () => {
    const report = await reportOf(project.environment.projectId);
    expect(report.conditions).to.have.length.at.least(30);
    expect(onesided(report)).to.deep.equal([]);
  });
});
