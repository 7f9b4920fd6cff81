import { expect } from "chai";
import { KnownViews } from "../../core/read/known-views.ts";

const MB = 1024 * 1024;

describe("The views that a rebuild has in mind", () => {
  function kept(known: KnownViews, ids: readonly string[]): readonly string[] {
    return ids.filter((id) => known.has(id));
  }

  it("are at most 5,000, those used last", () => {
    const known = new KnownViews();
    const ids = Array.from({ length: 6_000 }, (_, n) => `v${n}`);
    for (const id of ids) known.set(id, { id }, 10);
    known.set("v0", { id: "v0", again: true }, 10);
    known.forgetOldest();
    const left = kept(known, ids);
    expect(left.length).to.equal(5_000);
    expect(left.slice(0, 2)).to.deep.equal(["v0", "v1001"]);
    expect(known.get("v0")).to.deep.equal({ id: "v0", again: true });
  });

  it("are at most 32 MB, a view that grew or went counted as it is", () => {
    const known = new KnownViews();
    for (const id of ["a", "b", "c", "d"]) known.set(id, { id }, 10 * MB);
    known.set("d", undefined, 0);
    known.forgetOldest();
    expect(kept(known, ["a", "b", "c", "d"])).to.deep.equal(["a", "b", "c", "d"]);
    known.set("c", { id: "c" }, 13 * MB);
    known.forgetOldest();
    expect(kept(known, ["a", "b", "c", "d"])).to.deep.equal(["b", "c", "d"]);
    expect(known.get("d")).to.equal(undefined);
  });
});
