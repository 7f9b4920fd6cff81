import { expect } from "chai";
import { type CommandOptions, Err, ValidationError } from "../../core/index.ts";
import { actorOf } from "../support/actors.ts";
import { Actress, scene } from "../support/actress.ts";
import { rejects } from "../support/rejects.ts";

const actor = actorOf("t");

describe("What is given to a command", () => {
  it("takes nothing from the options but the ids: neither actor, nor tenant, nor aggregate", async () => {
    const { act, store } = scene();
    const mallory = actorOf("other", "mallory");
    const foreign = {
      correlationId: "c-1",
      causationId: "c-0",
      actor: mallory,
      address: { tenant: "other", type: "actresses", id: "other" },
      place: { address: { tenant: "other", type: "actresses", id: "other" }, key: "other" },
      command: { name: "Other" },
      payload: { line: "other" },
      isNew: true,
      expectedVersion: 7,
      hash: "other",
    };
    const context = await act((during) => during.push("Said"), { aggregateId: "vivien" }, foreign);
    expect([context.actor, context.aggregateId, context.command]).to.deep.equal([actor, "vivien", "Act"]);
    const { commits } = await store.load({ tenant: "t", type: "actresses", id: "vivien" }, { after: -1 });
    expect(commits).to.have.length(1);
    expect(commits[0]).to.include({ correlationId: "c-1", causationId: "c-0", command: "Act" });
    expect(commits[0]?.actor).to.deep.equal({ id: actor.id, name: actor.name });
    expect(await store.status("other")).to.equal("absent");
  });

  it("names wrong ids among the options", async () => {
    const { act } = scene();
    for (const name of ["commandId", "correlationId", "causationId"]) {
      for (const wrong of ["", 7, "a\0", "x".repeat(257)]) {
        const error = await rejects(
          Err,
          act(() => {}, {}, { [name]: wrong } as CommandOptions),
        );
        expect([error.code, error.message]).to.deep.equal([
          "invalid_argument",
          `invalid argument ${name}: use 1 to 256 bytes of UTF-8 in normal form NFC, without control characters`,
        ]);
      }
    }
  });

  it("names a wrong version", async () => {
    const { act, groups } = scene();
    for (const expectedVersion of [-2, 1.5, "0", null, Number.NaN, 2 ** 53]) {
      const sent = act((during) => during.push("Said"), { aggregateId: "v", expectedVersion: expectedVersion as number });
      const error = await rejects(Err, sent);
      expect([error.code, error.message]).to.deep.equal([
        "invalid_argument",
        `invalid argument expectedVersion: give an integer from -1 to ${Number.MAX_SAFE_INTEGER}`,
      ]);
    }
    expect(groups).to.deep.equal([]);
  });

  it("refuses payloads that would not come back identical, wherever they come from", async () => {
    const { handler, act, groups } = scene();
    for (const [value, reason] of [
      [Number.NaN, "is NaN: give a finite number"],
      [10n, "is a bigint: give a JSON value"],
      [new Date(0), "is a Date: give a plain object, an array, a number or a string"],
      [() => {}, "is a function: give a JSON value"],
      ["\ud800", "has a lone surrogate: give well-formed Unicode"],
    ] as const) {
      Actress.script = () => {};
      const sent = handler.command(actor, "Act", { line: value as string });
      const outside = await rejects(ValidationError, sent);
      expect([outside.path, outside.message]).to.deep.equal(["payload.line", `payload.line: ${reason}`]);
      const inside = await rejects(
        ValidationError,
        act((during) => during.push("Said", { line: value as string })),
      );
      expect([inside.path, inside.message]).to.deep.equal(["Said.line", `Said.line: ${reason}`]);
    }
    expect(groups).to.deep.equal([]);
  });
});
