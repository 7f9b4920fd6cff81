import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { needsFirestore } from "../support/firestore-emulator.ts";
import { allCases, rulesProject, wrongAnswers } from "../support/rules-environment.ts";
import { IDENTITIES } from "../support/rules-identities.ts";
import { MUTANTS, mutated } from "../support/rules-mutants.ts";

const RULES = join(import.meta.dirname, "..", "..", "firestore.rules");

describe("the matrix of access catches rules that", function () {
  this.timeout(60_000);
  let rules: string;

  before(async function () {
    needsFirestore(this);
    rules = await readFile(RULES, "utf8");
  });

  for (const mutant of MUTANTS) {
    it(mutant.title, async () => {
      const project = await rulesProject(mutated(rules, mutant));
      try {
        const ordered = [...IDENTITIES].sort((a, b) => Number(b.name === mutant.askFirst) - Number(a.name === mutant.askFirst));
        for (const identity of ordered) {
          const wrong = await wrongAnswers(
            project,
            allCases().filter((one) => one.identity === identity),
          );
          if (wrong.length > 0) return;
        }
        expect.fail("nobody noticed");
      } finally {
        await project.close();
      }
    });
  }
});
