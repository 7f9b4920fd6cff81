import { expect } from "chai";
import { z } from "zod";
import { Aggregate, type CommandContext } from "../../core/index.ts";
import { examples } from "../../functions/composition.ts";
import { ok } from "../../functions/doctor/check.ts";
import { examine, report } from "../../functions/doctor/examine.ts";
import { schemaCheck } from "../../functions/doctor/schema-check.ts";
import { uncheckedCommands } from "../../functions/unchecked-commands.ts";

abstract class Note extends Aggregate<{ Noted: { text: string } }> {
  static readonly path = "/notes";
  static readonly schemas = { Checked: z.object({ text: z.string() }) };
  get commands() {
    const note = (context: CommandContext<Note, { text: string }>) => context.push("Noted");
    return { Checked: note, Unchecked: note, ForNobody: note, Guarded: note, toString: note };
  }
  get events() {
    return { Noted: () => {} };
  }
}
class ByRole extends Note {
  static readonly access = { Checked: ["user"], Unchecked: ["user"], ForNobody: [], Guarded: () => true };
}
class ByTenant extends Note {
  static readonly access = "tenant";
}

describe("Commands whose payload no schema checks", () => {
  it("are those that somebody may send, and no others", () => {
    expect(uncheckedCommands([ByRole])).to.deep.equal(["Unchecked", "Guarded"]);
    expect(uncheckedCommands([ByTenant])).to.deep.equal(["Unchecked", "ForNobody", "Guarded", "toString"]);
  });

  it("are a warning of the doctor, and nothing that must be mended", async () => {
    const examined = await examine([schemaCheck([ByRole]), { claim: "well", asksCloud: false, examine: () => ok() }]);
    expect(report(examined)).to.match(
      /^warn {3}each command .+\n {7}Give .+: Unchecked, Guarded\.\nok {5}well\nNothing must be mended\.\n$/,
    );
    expect(report(await examine([schemaCheck([])]))).to.match(/All is well\.\n$/);
  });

  it("are none of the examples'", () => {
    expect(uncheckedCommands(examples.aggregates)).to.deep.equal([]);
  });
});
