import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Err, Projection } from "../../core/index.ts";
import { KeyPressCalculator } from "../../examples/calculator/index.ts";
import { examples } from "../../functions/composition.ts";
import { accessMatrix } from "../../rules/access-matrix.ts";
import { firestoreRules } from "../../rules/firestore-rules.ts";
import { filledPage } from "../../rules/matrix-page.ts";
import { thrown } from "../support/thrown.ts";

const root = join(import.meta.dirname, "..", "..");
const ADVICE = "run `npm run rules`";

class Notes extends Projection<{ text: string }> {
  readonly collection = "notes";
  readonly events = {};
}
class SharedNotes extends Notes {
  override readonly readers = ["owner's"];
}
class NobodysNotes extends Notes {
  override readonly readers = [];
}
class Unkept extends KeyPressCalculator {
  static readonly snapshot = false;
}

describe("The generator of rules", () => {
  it("made the committed firestore.rules", async () => {
    expect(await readFile(join(root, "firestore.rules"), "utf8"), ADVICE).to.equal(firestoreRules(accessMatrix(examples)));
  });

  it("made the tables of docs/security.md", async () => {
    const page = await readFile(join(root, "docs", "security.md"), "utf8");
    expect(filledPage(page, accessMatrix(examples)), ADVICE).to.equal(page);
  });

  it("opens nothing without readers, writes nothing, and names every collection literally", () => {
    const rules = firestoreRules(accessMatrix(examples));
    const matches = Array.from(rules.matchAll(/^ {4}match (\S+) \{$/gm), ([, path]) => path);
    expect(matches).to.have.length(17);
    for (const path of matches)
      expect(path).to.match(/^\/tenants\/\{tenant\}\/(views\/[a-z-]+(~1|~live)?\/items|snapshots\/[a-z-]+\/states)\/\{id\}$/);
    const allowed = new Set(Array.from(rules.matchAll(/allow ([^:]*):/g), ([, what]) => what));
    expect([...allowed]).to.deep.equal(["get", "list"]);
    expect(firestoreRules(accessMatrix({ aggregates: examples.aggregates, threads: { notes: [new Notes()] } }))).not.to.include(
      "notes",
    );
  });

  it("refuses readers that no rule can spell, of snapshots that are not kept, and of a collection that two declare", () => {
    const { aggregates } = examples;
    const matrixOf = (...handlers: readonly Notes[]) => accessMatrix({ aggregates, threads: { notes: handlers } });
    for (const make of [
      () => matrixOf(new SharedNotes()),
      () => matrixOf(new NobodysNotes()),
      () => matrixOf(new Notes(), new Notes()),
      () => accessMatrix({ aggregates: [Unkept], threads: {} }),
    ]) {
      const error = thrown(Err, make);
      expect(error.code).to.equal("invalid_argument");
    }
  });
});
